"""The class tree of FG-Emotions and the label sets of other data sets.

Four levels (paper section III, Fig. 2 b): root, pleasant / unpleasant, six upper classes, 33 leaves. The
tree lies in ``manifests/taxonomy.csv`` and the other label sets in ``manifests/ontologies.yaml``; both are
data, so that a new label set needs no code.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import lru_cache

from fgbench.errors import ConfigError
from fgbench.naming import plain, tidy
from fgbench.printable import printable_name
from fgbench.resources import resource

FG33 = "fg33"
"""Label set of the 33 leaves of FG-Emotions."""

FREE = "free"
"""Label set of data whose own classes are kept, e.g. the names of folders."""

FOUND = "found"
"""Label set of a recipe that takes the classes which occur (:mod:`fgbench.catalogue.classes`)."""

UNLABELLED = "none"
"""Label set of data without classes, e.g. with labels of action units alone."""


UNSURE, NOT_USABLE = "unsure", "not_usable"
"""Reserved answers of annotators: cast, and counted for no class. Not stated in the paper."""

_USUAL = ("ekman6", "ekman7", "ekman8", "parrott6", FG33)
"""Usual label sets, the smallest first."""


class UnknownLabelError(ConfigError):
    """A label that the label set does not have; the message names the nearest one."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One of the fine-grained classes.

    Attributes:
        class_id: Number from 0, in the order of the paper's list.
        name: Lower-case name.
        basic: Name of its upper class.
        valence: ``"pleasant"`` or ``"unpleasant"``.
    """

    class_id: int
    name: str
    basic: str
    valence: str


@dataclass(frozen=True, slots=True)
class Ontology:
    """A set of labels in a fixed order, and the mapping of the leaves of the class tree into it.

    Attributes:
        name: e.g. ``"ekman6"``.
        labels: Names in the order of class numbers.
        from_leaf: Leaf name to label name; absent leaves have no counterpart.
        description: One sentence.
        aliases: Other spellings of labels, e.g. ``"happy"`` to ``"happiness"``.
    """

    name: str
    labels: tuple[str, ...]
    from_leaf: Mapping[str, str]
    description: str
    aliases: Mapping[str, str] = field(default_factory=dict)

    def index(self, label: str) -> int:
        """Class number of a label.

        Raises:
            UnknownLabelError: If the label is not in this set.
        """
        return self.labels.index(self.find(label))

    def find(self, label: str) -> str:
        """Return the label as this set spells it, ignoring case, spaces, hyphens and composition of letters.

        The set :data:`FREE` has every label: those that it lists as written there, others in their
        stored form (:func:`normal_label`).

        Raises:
            UnknownLabelError: If the label is not in this set.
        """
        wanted = normal_label(label)
        if self.name == FREE and wanted:
            return _as_written(self.labels).get(wanted, wanted)
        if wanted in self.labels:
            return wanted
        if wanted in self.aliases:
            return self.aliases[wanted]
        advice = meant_by(label, self)
        raise UnknownLabelError(
            f"unknown label {label!r}, expected one of the {len(self.labels)} of {self.name}",
            f"{advice} labels: {', '.join(self.labels)}" if advice else f"labels: {', '.join(self.labels)}",
        )

    def basic_and_valence(self, label: str) -> tuple[str | None, str | None]:
        """Upper class and valence of a label in the class tree; each ``None`` if the tree does not have it.

        They are those of the leaves that map to the label, if these agree.

        Args:
            label: Label as this set spells it.
        """
        return _basic_and_valence(label, tuple(self.from_leaf.items()))


@lru_cache(maxsize=4096)
def _basic_and_valence(label: str, from_leaf: tuple[tuple[str, str], ...]) -> tuple[str | None, str | None]:
    names = {leaf for leaf, mapped in from_leaf if mapped == label}
    below = [item for item in leaves() if item.name in names]
    above = {item.basic for item in below}
    valences = {item.valence for item in below}
    return (above.pop() if len(above) == 1 else None, valences.pop() if len(valences) == 1 else None)


def is_usual_label(name: str) -> bool:
    """Return whether a word is a class of the tree or a basic expression, in one of the usual spellings."""
    wanted = normal_label(name)
    return any(wanted in labels.labels or wanted in labels.aliases for labels in map(ontology, _USUAL))


def free_classes(labels: Iterable[str]) -> tuple[str, ...]:
    """Classes of data with the label set :data:`FREE`: the labels as they were written, in the order of their
    normal form.

    Of several spellings of one class the most frequent is taken; of equals, the first in the alphabet.

    Args:
        labels: In any order, each as often as it occurs.
    """
    counts = Counter(map(written_label, labels))
    spellings: dict[str, str] = {}
    for name in sorted(counts, key=lambda name: (-counts[name], name)):
        spellings.setdefault(normal_label(name), name)
    return tuple(spellings[wanted] for wanted in sorted(spellings))


def with_classes(labels: Ontology, classes: Iterable[str]) -> Ontology:
    """A label set with the spellings of a data set's own classes, if it is :data:`FREE`; any other set
    unchanged.

    Args:
        labels: The label set.
        classes: Names as they were written, each once.
    """
    return replace(labels, labels=tuple(classes)) if labels.name == FREE else labels


@lru_cache(maxsize=64)
def _as_written(labels: tuple[str, ...]) -> dict[str, str]:
    return {normal_label(label): label for label in labels}


def written_label(label: str) -> str:
    """A user's own class as it is shown: as written, with its capitals, blanks and hyphens.

    Control characters are escaped, as in :func:`normal_label`.
    """
    return printable_name(tidy(label))


@lru_cache(maxsize=4096)
def normal_label(label: str) -> str:
    """The normal form of a label, for comparison and for storing fgbench's own labels: plain composed letters
    in lower case, words joined by ``_``.

    Control characters are escaped, so that no name of a folder affects a terminal or a page.
    """
    shown = plain(printable_name(tidy(label)).lower())
    return "_".join(tidy(shown.replace("-", " ").replace("_", " ")).split())


def reserved_answer(label: str) -> str | None:
    """:data:`UNSURE` or :data:`NOT_USABLE` if the label of a vote is one of them, in any case, with blanks,
    hyphens or underscores; else ``None``."""
    answer = normal_label(label)
    return answer if answer in (UNSURE, NOT_USABLE) else None


def meant_by(label: str, labels: Ontology) -> str:
    """Advice on a label that a set lacks: what may have been meant; empty if nothing is near.

    An upper class of the tree, in any spelling, has its leaves in the set of all; other words may be similar
    to a label, or labels of another set.
    """
    wanted = normal_label(label)
    others = [ontology(name) for name in _USUAL if name != labels.name]
    meant = next((other.aliases[wanted] for other in others if wanted in other.aliases), wanted)
    quoted = f"{wanted!r}" if meant == wanted else f"{wanted!r} ({meant})"
    holders = [other.name for other in others if meant in other.labels]
    other_set = f"dataset: {{scheme: {holders[0]}}}" if holders else ""
    if meant in labels.labels:
        return f"did you mean {meant!r}?"
    below = [item.name for item in leaves() if item.basic == meant]
    if below and set(below) <= set(labels.labels):
        return (
            f"{quoted} is an upper class: did you mean one of its classes ({', '.join(below)}), or the label "
            f"set {holders[0]} ({other_set})?"
        )
    near = get_close_matches(wanted, labels.labels, n=1)
    if holders:
        nearest = f"{near[0]!r}, or " if near else ""
        return f"did you mean {nearest}the label set {holders[0]} ({other_set}), which has {quoted}?"
    return f"did you mean {near[0]!r}?" if near else ""


@lru_cache(maxsize=1)
def leaves() -> tuple[Leaf, ...]:
    """The 33 leaves in the order of their class numbers."""
    with resource("manifests", "taxonomy.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(Leaf(int(r["class_id"]), r["class"], r["upper_class"], r["valence"]) for r in rows)


@lru_cache(maxsize=1)
def basics() -> tuple[str, ...]:
    """The six upper classes in the order of their first leaf."""
    return tuple(dict.fromkeys(leaf.basic for leaf in leaves()))


@lru_cache(maxsize=1)
def _leaves_by_name() -> dict[str, Leaf]:
    return {leaf.name: leaf for leaf in leaves()}


def leaf(label: str) -> Leaf:
    """Look up a leaf by name (case and surrounding spaces do not matter).

    Raises:
        UnknownLabelError: If there is no such leaf; the message names the nearest.
    """
    return _leaves_by_name()[ontology("fg33").find(label)]


@lru_cache(maxsize=1)
def _ontologies() -> dict[str, Ontology]:
    import yaml

    text = resource("manifests", "ontologies.yaml").read_text(encoding="utf-8")
    entries: dict[str, dict[str, object]] = yaml.safe_load(text)
    tree = leaves()
    result = {
        "fg33": Ontology(
            "fg33",
            tuple(item.name for item in tree),
            {item.name: item.name for item in tree},
            "The 33 leaves of FG-Emotions (paper section III).",
        ),
        "parrott6": Ontology(
            "parrott6",
            basics(),
            {item.name: item.basic for item in tree},
            "The six upper classes of FG-Emotions, love among them (paper section III).",
        ),
    }
    for name, entry in entries.items():
        labels = tuple(str(label) for label in entry["labels"])  # type: ignore[attr-defined]
        exceptions: dict[str, str | None] = dict(entry.get("leaves", {}))  # type: ignore[call-overload]
        mapping: dict[str, str] = {}
        for item in tree:
            target = exceptions.get(item.name, item.basic)
            if target in labels:
                mapping[item.name] = str(target)
        spellings: dict[str, str] = dict(entry.get("aliases", {}))  # type: ignore[call-overload]
        aliases = {spelling: label for spelling, label in spellings.items() if label in labels}
        result[name] = Ontology(name, labels, mapping, str(entry["description"]), aliases)
    result[FREE] = Ontology(FREE, (), {}, "The data's own classes, sorted.")
    result[UNLABELLED] = Ontology(UNLABELLED, (), {}, "No classes.")
    return result


def ontology(name: str) -> Ontology:
    """Return a label set by name.

    Raises:
        ConfigError: If there is no such label set.
    """
    by_name = _ontologies()
    if name not in by_name:
        near = get_close_matches(name, by_name, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"unknown label set {name!r}", f"{meant}known label sets: {', '.join(sorted(by_name))}"
        )
    return by_name[name]


def ontology_names() -> list[str]:
    """Names of all label sets, sorted."""
    return sorted(_ontologies())
