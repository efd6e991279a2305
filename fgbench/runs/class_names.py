"""Counterparts of another program's classes in a data set, by the label sets of fgbench. Pure functions.

The classes of the data set come first. A data set of the 33 leaves (or some of them) can also be scored at
the level of their upper classes, in Ekman's sets of six, seven or eight or the paper's own six; one with
upper classes of its own at theirs. The level is the first that has all classes of the program.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from shlex import quote

from fgbench.errors import ArgumentError, ConfigError
from fgbench.naming import first_few
from fgbench.runs.labels import FG33, SOME_LEAVES, LabelSet
from fgbench.taxonomy import FREE, is_usual_label, normal_label, ontology

_UPPER = ("ekman6", "ekman7", "ekman8", "parrott6")
"""Label sets above the leaves, the smallest first."""

_SPELT = ("ekman8", "mafw11", "mmi8")
"""Label sets whose other spellings are tried."""

_ALL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """Classes that are scored.

    Attributes:
        name: Name of the label set.
        classes: In the order of the label set.
        truth: Class of the data set to that which is scored; those without one have no counterpart.
        is_upper: Whether they lie above the classes of the data set.
    """

    name: str
    classes: tuple[str, ...]
    truth: Mapping[str, str]
    is_upper: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassNames:
    """Counterparts of the classes of a program in a data set.

    Attributes:
        level: The classes that are scored.
        meant: Class of the program to class of the level; ``None`` for one that is left out.
    """

    level: Level
    meant: Mapping[str, str | None]

    @property
    def left_out(self) -> list[str]:
        """Classes of the program that are left out."""
        return [name for name, label in self.meant.items() if label is None]

    @property
    def never_predicted(self) -> list[str]:
        """Classes that are scored and that the program does not have."""
        return [label for label in self.level.classes if label not in self.meant.values()]


def mapping_of_texts(texts: Sequence[str]) -> dict[str, str]:
    """Return the mapping of texts: ``happy=happiness``, or ``contempt=`` to leave it out.

    Raises:
        ArgumentError: If a text is no pair, or a class is named twice.
    """
    mapping: dict[str, str] = {}
    for text in texts:
        name, separator, label = text.partition("=")
        if not separator or not name.strip():
            raise ArgumentError(f"{text!r}, expected NAME=CLASS", "e.g. happy=happiness", argument="map")
        if name.strip() in mapping:
            raise ArgumentError(f"{name.strip()!r} is named twice", "name each class once", argument="map")
        mapping[name.strip()] = label.strip()
    return mapping


def match_classes(names: Sequence[str], labels: LabelSet, mapping: Mapping[str, str]) -> ClassNames:
    """Find the class of a data set for every class of a program.

    Args:
        names: The program's, each once.
        labels: The data set's.
        mapping: The user's own: class of the program to class of the data set, or to ``""`` to leave it out.

    Raises:
        ConfigError: If a class has no counterpart or several, two have the same and the user did not map
            them, or the user maps a class that the program does not have.
        DatasetError: If the data set has no classes.
    """
    labels.check_classes()
    mapped = _by_spelling(names, mapping)
    levels = levels_of(labels)
    faults: list[tuple[int, list[str]]] = []
    for level in levels:
        meant, unclear = _meant(names, level.classes, mapped)
        if not unclear:
            _check_once(meant, mapped)
            return ClassNames(level=level, meant=meant)
        faults.append((len(unclear), unclear))
    best = min(range(len(levels)), key=lambda index: faults[index][0])
    raise _unclear(faults[best][1], levels[best].classes, mapped, labels)


def _by_spelling(names: Sequence[str], mapping: Mapping[str, str]) -> dict[str, str]:
    """Return the user's mapping by the names as the program spells them."""
    spelt = {normal_label(name): name for name in names}
    spelled = {}
    for name, label in mapping.items():
        if normal_label(name) not in spelt:
            raise ConfigError(
                f"map {name}={label}: the predictions have no class {name!r}",
                f"they have: {first_few(sorted(names), _ALL)}",
            )
        spelled[spelt[normal_label(name)]] = label
    return spelled


def levels_of(labels: LabelSet) -> list[Level]:
    """Return the levels that a data set can be scored at: its own classes, and those above them."""
    own = Level(
        name=labels.name,
        classes=labels.labels,
        truth={label: label for label in labels.labels},
        is_upper=False,
    )
    if labels.name in (FG33, SOME_LEAVES):
        above = [
            Level(
                name=upper.name,
                classes=upper.labels,
                truth={leaf: upper.from_leaf[leaf] for leaf in labels.labels if leaf in upper.from_leaf},
                is_upper=True,
            )
            for upper in map(ontology, _UPPER)
        ]
        return [own, *above]
    if labels.basic is None:
        return [own]
    truth = dict(zip(labels.labels, labels.basic, strict=True))
    return [
        own,
        Level(name=f"upper classes of {labels.name}", classes=labels.upper, truth=truth, is_upper=True),
    ]


def _meant(
    names: Sequence[str], classes: Sequence[str], mapped: Mapping[str, str]
) -> tuple[dict[str, str | None], list[str]]:
    """Return the counterparts of the names, and the names without exactly one."""
    meant: dict[str, str | None] = {}
    unclear = []
    for name in names:
        if mapped.get(name) == "":
            meant[name] = None
            continue
        possible = counterparts(mapped.get(name, name), classes)
        if len(possible) == 1:
            meant[name] = possible[0]
        else:
            unclear.append(name)
    return meant, unclear


def counterparts(name: str, classes: Sequence[str]) -> list[str]:
    """Return the classes that a name may stand for: the one spelled so, else those of the same meaning.

    Args:
        name: Name of a class, in any spelling.
        classes: The classes to choose from.
    """
    wanted = normal_label(name)
    if same := [label for label in classes if normal_label(label) == wanted]:
        return same
    return [label for label in classes if _plain(label) == _plain(name)]


def _plain(name: str) -> str:
    """Return a class without regard to the form of its word: ``happy`` and ``happiness`` are one."""
    wanted = normal_label(name)
    return next((one.aliases[wanted] for one in map(ontology, _SPELT) if wanted in one.aliases), wanted)


def _check_once(meant: Mapping[str, str | None], mapped: Mapping[str, str]) -> None:
    """Refuse two classes with one counterpart unless the user mapped them; mapped ones are added up."""
    counts = Counter(label for label in meant.values() if label is not None)
    for label, count in counts.items():
        own = [name for name, its_label in meant.items() if its_label == label]
        if count > 1 and sum(name not in mapped for name in own) > 1:
            raise ConfigError(
                f"{' and '.join(map(repr, own))} of the predictions are both {label!r}",
                f"name one in map: {own[1]}={label} adds them up, {own[1]}= leaves it out",
            )


def _near(name: str, classes: Sequence[str]) -> list[str]:
    """Return the classes that are spelled nearly as a name."""
    near = get_close_matches(normal_label(name), [normal_label(label) for label in classes], n=3)
    return [label for label in classes if normal_label(label) in near]


def _unclear(
    unclear: Sequence[str], classes: Sequence[str], mapped: Mapping[str, str], labels: LabelSet
) -> ConfigError:
    faults = []
    for name in unclear[:5]:
        possible = counterparts(mapped.get(name, name), classes)
        if possible:
            faults.append(f"{name!r} may be {' or '.join(map(repr, possible))}")
            continue
        close = _near(name, classes)
        wrong = f"{mapped[name]!r}, named for {name!r}," if name in mapped else f"{name!r}"
        hint = f" (near: {', '.join(close)})" if close else ""
        absent = "" if name in mapped or not is_usual_label(name) else ", which the data set does not have"
        faults.append(f"{wrong} is none of the classes{absent}{hint}")
    first = unclear[0]
    example = next(iter([*counterparts(first, classes), *_near(first, classes)]), classes[0])
    left_out = " ".join(f"--map {quote(name)}=" for name in unclear[:5])
    whose = "the data set" if labels.name == FREE else labels.name
    more = f" and {len(unclear) - 5} more" if len(unclear) > 5 else ""
    return ConfigError(
        f"classes of the predictions that {whose} does not tell: {'; '.join(faults)}{more}; expected "
        f"some of {first_few(list(classes), _ALL)}",
        f"tell it: --map {quote(first)}={quote(example)}, or leave out: {left_out}{' ...' if more else ''}; "
        f"in Python map={{{first!r}: {example!r}}}, '' leaves one out",
    )
