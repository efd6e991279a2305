"""Choice of a recipe's classes: those that it lists, those of its label set, or those that occur.

Opens no file; looks at the labels that an adapter lists, and at those that annotators voted for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

from fgbench.config import DatasetConfig
from fgbench.errors import ConfigError
from fgbench.naming import counted, first_few
from fgbench.records import ClipEntry
from fgbench.taxonomy import (
    FG33,
    FOUND,
    FREE,
    UNLABELLED,
    Ontology,
    UnknownLabelError,
    free_classes,
    normal_label,
    ontology,
    reserved_answer,
    with_classes,
    written_label,
)

_BASIC_SETS = ("ekman6", "ekman7", "ekman8", "parrott6")
"""Label sets tried for the labels of users' own clips, the smallest first."""
_KEY = "dataset: {classes: [...]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Classes:
    """The classes of a data set.

    Attributes:
        scheme: Name of the label set in which labels are looked up.
        labels: C names, in the order of outputs; none for data without classes. The user's own classes are
            spelled as in the recipe or, if it lists none, as in the data.
        upper: Label to upper class, for classes that the recipe groups itself; else empty.
        are_listed: Whether the recipe lists them; clips of other classes are then left out.
        are_found: Whether they are the classes that occur; one that no clip has in the end is then dropped.
        notes: Decisions, one line each, for people.
    """

    scheme: str
    labels: tuple[str, ...]
    upper: Mapping[str, str] = field(default_factory=dict)
    are_listed: bool = False
    are_found: bool = False
    notes: tuple[str, ...] = ()

    @property
    def label_set(self) -> Ontology:
        """Label set in which labels are looked up, with the spellings of :attr:`labels`."""
        return with_classes(ontology(self.scheme), self.labels)


def choose_classes(config: DatasetConfig, entries: Sequence[ClipEntry]) -> Classes:
    """Choose the classes of a recipe for the entries of a data set.

    With the label set ``found`` and no list of classes these are the classes that occur: leaves of the class
    tree if all labels are leaves; else labels of one of the sets of basic expressions; else, if at least half
    of the labels are leaves, those leaves (``ingest`` rejects clips with other labels and names the nearest
    class); else the labels as they are.

    Args:
        config: Section ``dataset`` of the recipe.
        entries: Entries that the adapter lists.

    Raises:
        ConfigError: If the label set does not exist, or the listed classes are fewer than two, repeated, not
            of the recipe's label set, or not those that ``upper`` groups.
    """
    if config.classes:
        return _listed(config)
    if config.upper:
        raise ConfigError(
            "dataset.upper groups classes, and dataset.classes lists none", f"list them: {_KEY}"
        )
    if config.scheme == FOUND:
        return _occurring(entries)
    wanted = ontology(config.scheme)
    labels = free_classes(_labels(entries)) if wanted.name == FREE else wanted.labels
    return Classes(scheme=wanted.name, labels=labels)


def with_known_answers(entries: Iterable[ClipEntry], classes: Classes) -> list[ClipEntry]:
    """Entries whose known answers are classes; the others have a problem.

    Args:
        entries: Entries that the adapter lists.
        classes: The classes of the recipe.
    """
    labels = classes.label_set
    return [
        entry
        if entry.gold_label is None or _is_class(entry.gold_label, labels)
        else replace(
            entry,
            gold_label=None,
            problem=entry.problem
            or (
                "unknown_label",
                f"its known answer is {entry.gold_label!r}, which is no class of {labels.name}",
            ),
        )
        for entry in entries
    ]


def _is_class(label: str, labels: Ontology) -> bool:
    spelled = _in(labels, label)
    return (
        spelled is not None
        and reserved_answer(label) is None
        and (labels.name != FREE or spelled in labels.labels)
    )


def _listed(config: DatasetConfig) -> Classes:
    names = [normal_label(name) for name in config.classes]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice or len(names) < 2 or "" in names:
        what = f"{twice[0]!r} twice" if twice else f"{len(names)} names, or an empty one"
        raise ConfigError(
            f"dataset.classes has {what}, expected two or more different names", f"write {_KEY}"
        )
    if config.scheme == UNLABELLED:
        raise ConfigError(
            f"dataset.classes lists classes, and dataset.scheme is {UNLABELLED}", "take one out"
        )
    groups = with_classes(ontology(FREE), free_classes(config.upper.values()))
    upper = {normal_label(name): groups.find(above) for name, above in config.upper.items()}
    if upper and set(upper) != {*names}:
        odd = sorted(set(upper) ^ {*names})
        raise ConfigError(
            f"dataset.upper and dataset.classes differ in {first_few(odd)}",
            "give each listed class its upper class, or none",
        )
    sets = (FG33, *_BASIC_SETS) if config.scheme == FOUND else (config.scheme,)
    for scheme in sets:
        labels = ontology(scheme)
        spelled = [_in(labels, name) for name in names]
        if all(spelled) and not upper:
            kept = [name for name in spelled if name is not None]
            if len(set(kept)) < len(kept):
                raise ConfigError(f"dataset.classes names a class of {scheme} twice", f"write {_KEY}")
            return Classes(scheme=scheme, labels=_in_order(labels, kept), are_listed=True)
    if config.scheme not in (FOUND, FREE):
        strange = [name for name in names if _in(ontology(config.scheme), name) is None]
        raise ConfigError(
            f"dataset.classes has {first_few(strange or names)}, expected classes of {config.scheme}, in the "
            "groups that it has",
            f"for classes of your own write scheme: {FREE}",
        )
    written = dict(zip(names, map(written_label, config.classes), strict=True))
    return Classes(
        scheme=FREE,
        labels=tuple(written.values()),
        upper={written[name]: above for name, above in upper.items()},
        are_listed=True,
    )


def _occurring(entries: Sequence[ClipEntry]) -> Classes:
    labels = sorted({normal_label(label) for label in _labels(entries)})
    tree = ontology(FG33)
    kept = [label for label in labels if _in(tree, label)]
    if not labels or len(kept) == len(tree.labels) or (len(labels) == 1 and kept):
        return Classes(scheme=FG33, labels=tree.labels)
    others = [label for label in labels if label not in kept]
    if not others:
        note = (
            f"classes: the {len(kept)} of the {len(tree.labels)} of {FG33} that occur; to fix them write "
            f"{_KEY} in a recipe"
        )
        return Classes(scheme=FG33, labels=_in_order(tree, kept), are_found=True, notes=(note,))
    for scheme in _BASIC_SETS:
        label_set = ontology(scheme)
        spelled = {_in(label_set, label) for label in labels}
        if None not in spelled:
            names = _in_order(label_set, [name for name in spelled if name is not None])
            note = f"classes: the {len(names)} of {scheme} that occur ({', '.join(names)})"
            return Classes(scheme=scheme, labels=names, are_found=True, notes=(note,))
    if 2 * len(kept) >= len(labels):
        note = (
            f"classes: the {len(kept)} of the {len(tree.labels)} of {FG33} that occur; "
            f"{counted(len(others), 'other label')} not among them, whose clips are rejected: "
            f"{first_few(others)}; votes for one of them count for none"
            f"; to have classes of your own list them all: {_KEY} in a recipe"
        )
        return Classes(scheme=FG33, labels=_in_order(tree, kept), are_found=True, notes=(note,))
    own = free_classes(_labels(entries))
    note = f"classes: {len(own)} of your own, as they occur ({first_few(own)})"
    if any(entry.votes for entry in entries):
        note = (
            f"classes: {len(own)} of your own, all that somebody voted for ({first_few(own)}); a class that "
            "the votes give to no clip is left out"
        )
    if meant := _misspelt(labels):
        note = f"{note}; {meant}"
    return Classes(scheme=FREE, labels=own, are_found=True, notes=(note,))


def _misspelt(labels: Sequence[str]) -> str:
    """Labels that may be misspelt, where at least half of all are basic expressions; empty if none may be."""
    basic = [label for label in labels if any(_in(ontology(scheme), label) for scheme in _BASIC_SETS)]
    if 2 * len(basic) < len(labels):
        return ""
    names = sorted({name for scheme in _BASIC_SETS for name in ontology(scheme).labels})
    near = {label: get_close_matches(label, names, n=1) for label in labels if label not in basic}
    return "; ".join(f"{label}: did you mean {close[0]}?" for label, close in near.items() if close)


def _labels(entries: Iterable[ClipEntry]) -> list[str]:
    return [label for entry in entries for label in _labels_of(entry) if label]


def _labels_of(entry: ClipEntry) -> Iterable[str | None]:
    """The labels that annotators voted for, without reserved answers; the label of an entry without votes."""
    if not entry.votes:
        return (entry.label,)
    return (vote.label for vote in entry.votes if reserved_answer(vote.label) is None)


def _in(label_set: Ontology, label: str) -> str | None:
    try:
        return label_set.find(label)
    except UnknownLabelError:
        return None


def _in_order(label_set: Ontology, labels: Iterable[str]) -> tuple[str, ...]:
    """Labels in the order of their set; unchanged if the set has no order."""
    if label_set.name == FREE:
        return tuple(labels)
    return tuple(label for label in label_set.labels if label in {*labels})
