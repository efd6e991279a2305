"""Classes: the label sets there are, ``fgbench.label_sets``; one of them, also a work folder's."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgbench.api.arguments import name_of
from fgbench.notebook_lines import NotebookLines


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelClass:
    """A class of a label set.

    Attributes:
        label: Its name.
        upper: Its upper class (of the 33: the basic expression); ``None`` where there is none.
        valence: Valence of the upper class, e.g. ``"negative"``; ``None`` likewise.
        spellings: Other spellings that are read as it, sorted.
        leaves: Classes of the 33 that it takes in.
    """

    label: str
    upper: str | None
    valence: str | None
    spellings: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet(NotebookLines):
    """A set of classes.

    Attributes:
        name: Its name in recipes (``dataset.scheme``).
        description: One sentence.
        classes: Its classes in the order of probabilities; empty of ``free`` and ``unlabelled``.
        is_fine: Whether its classes are among the 33, which have upper classes.
    """

    name: str
    description: str
    classes: tuple[LabelClass, ...]
    is_fine: bool

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        classes = [asdict(one) for one in self.classes]
        for one in classes:
            one["spellings"], one["leaves"] = list(one["spellings"]), list(one["leaves"])
        return {"name": self.name, "description": self.description, "classes": classes}

    def lines(self, *, full: bool = False) -> list[str]:
        """Return lines of text: classes below their upper classes; or, in full, a line per class with its
        other spellings."""
        head = f"{self.name}: {len(self.classes)} classes. {self.description}"
        return [head, *(self._singly() if full else self._together())]

    def _together(self) -> list[str]:
        groups: dict[str, list[str]] = {}
        for one in self.classes:
            grouped = f"{one.upper} ({one.valence})" if one.upper is not None and self.is_fine else ""
            groups.setdefault(grouped, []).append(one.label)
        width = max((len(group) + 2 if group else 0 for group in groups), default=0)
        return [f"  {group:<{width}}{', '.join(members)}" for group, members in groups.items()]

    def _singly(self) -> list[str]:
        width = max((len(one.label) for one in self.classes), default=0)
        lines = []
        for one in self.classes:
            words = [f"{one.upper}, {one.valence}"] if one.upper and self.is_fine else []
            if one.spellings:
                words.append(f"also: {', '.join(one.spellings)}")
            if one.leaves not in ((), (one.label,)):
                words.append(f"of the 33: {', '.join(one.leaves)}")
            lines.append(f"  {one.label:<{width}}  {'; '.join(words)}".rstrip())
        return lines

    def __repr__(self) -> str:
        return f"<LabelSet {self.name}: {len(self.classes)} classes>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassCounts:
    """Classes of a work folder, with their numbers of clips.

    Attributes:
        name: Label set.
        data_set: Name of the data set.
        upper: Class to its upper class (``None`` where there is none), in the order of probabilities.
        clips: Class to part to number of clips.
    """

    name: str
    data_set: str
    upper: Mapping[str, str | None]
    clips: Mapping[str, Mapping[str, int]]

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "name": self.name,
            "data_set": self.data_set,
            "classes": [
                {"label": label, "upper": above, "clips": dict(self.clips[label])}
                for label, above in self.upper.items()
            ],
        }

    def lines(self) -> list[str]:
        """Return lines of text, a class each; without a column of upper classes where there are none."""
        head = f"{self.data_set}: {len(self.upper)} classes, label set {self.name}; numbers of clips"
        if not self.upper:
            return [head]
        width = max(len("class"), *(len(label) for label in self.upper))
        above = max(len(upper or "") for upper in self.upper.values())
        above = max(len("upper class"), above) + 2 if above else 0
        parts = list(next(iter(self.clips.values())))
        title = f"{'  upper class' if above else '':<{above}}"
        lines = [head, f"  {'class':<{width}}{title}" + "".join(f"{part:>7}" for part in parts)]
        for label, upper in self.upper.items():
            numbers = "".join(f"{self.clips[label][part]:>7,}" for part in parts)
            group = f"{'  ' + (upper or '') if above else '':<{above}}"
            lines.append(f"  {label:<{width}}{group}{numbers}")
        return lines


def label_set_names() -> list[str]:
    """Return the names of all label sets, sorted; also ``free`` (any classes) and ``unlabelled`` (none)."""
    from fgbench.taxonomy import ontology_names

    return list(ontology_names())


def label_sets() -> list[LabelSet]:
    """Return the label sets that have classes: the 33 first, then the others by name."""
    from fgbench.taxonomy import FG33, FREE, UNLABELLED, ontology_names

    names = sorted(ontology_names(), key=lambda one: (one != FG33, one))
    return [label_set(name) for name in names if name not in (FREE, UNLABELLED)]


def label_set(name: str) -> LabelSet:
    """Return a label set by its name.

    Raises:
        ConfigError: If there is none; the message names the nearest.
    """
    from fgbench.taxonomy import ontology

    chosen = ontology(name_of("name", name, example="'basic7'"))
    classes = []
    for label in chosen.labels:
        upper, valence = chosen.basic_and_valence(label)
        classes.append(
            LabelClass(
                label=label,
                upper=upper,
                valence=valence,
                spellings=tuple(sorted(one for one, meant in chosen.aliases.items() if meant == label)),
                leaves=tuple(leaf for leaf, meant in chosen.from_leaf.items() if meant == label),
            )
        )
    return LabelSet(
        name=chosen.name,
        description=chosen.description,
        classes=tuple(classes),
        is_fine=all(leaf == label for leaf, label in chosen.from_leaf.items()),
    )


def class_counts(workdir: str | os.PathLike[str]) -> ClassCounts:
    """Return the classes of a work folder with their numbers of clips in each part.

    Raises:
        ManifestError: If it has no manifests, or they are damaged.
    """
    from fgbench.records import SPLITS
    from fgbench.runs.labels import read_labels
    from fgbench.runs.samples import clip_samples
    from fgbench.workfolders.layout import MANIFESTS
    from fgbench.workfolders.manifest_index import read_index

    index = read_index(Path(workdir))
    labels = read_labels(index)
    counts = Counter((one.label, one.part) for one in clip_samples(Path(workdir) / MANIFESTS))
    upper = labels.basic or (None,) * len(labels.labels)
    return ClassCounts(
        name=labels.name,
        data_set=index["dataset"],
        upper=dict(zip(labels.labels, upper, strict=True)),
        clips={label: {part: counts[label, part] for part in SPLITS} for label in labels.labels},
    )
