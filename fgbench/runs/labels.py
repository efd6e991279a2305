"""The label set of a work folder: its classes by name, in the order of outputs, and their upper classes.

Reads the index of the manifests (``scheme``, ``classes``). Labels are names everywhere: no number depends on
the order of a data set's folders or codes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.errors import DatasetError, ManifestError
from fgbench.taxonomy import FG33 as FG33
from fgbench.taxonomy import Ontology, leaves, normal_label, ontology, ontology_names

SOME_LEAVES = "fg33-part"
"""Name of a set of some of the leaves, where ``consensus`` drops classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet:
    """Classes that are told apart.

    Attributes:
        name: e.g. ``"fg33"``, ``"ekman7"``.
        labels: C names, in the order of outputs; none for data with labels of action units alone.
        basic: Upper class of each label; ``None`` where the set has none.
    """

    name: str
    labels: tuple[str, ...]
    basic: tuple[str, ...] | None = None

    @property
    def upper(self) -> tuple[str, ...]:
        """Upper classes in the order of their first label; empty where the set has none."""
        return tuple(dict.fromkeys(self.basic or ()))

    def described(self) -> dict[str, Any]:
        """Entries for metadata of weights: the classes; the set's name and own upper classes, if any."""
        named: dict[str, Any] = {} if self.name == FG33 else {"scheme": self.name}
        if self.basic is not None and self.name not in (FG33, SOME_LEAVES):
            named["upper"] = dict(zip(self.labels, self.basic, strict=True))
        return {"classes": list(self.labels), **named}

    def check_classes(self) -> None:
        """Refuse a set without classes; to be called before long work.

        Raises:
            DatasetError: If it has none.
        """
        if not self.labels:
            raise DatasetError(
                f"label set {self.name} has no classes, expected some to tell apart",
                "train on a data set with classes; fgbench train au takes labels of action units",
            )

    def numbers(self, labels: Sequence[str]) -> npt.NDArray[np.int64]:
        """Indices of labels in this set, (N,) int64.

        Raises:
            DatasetError: If this set has no classes.
            UnknownLabelError: If a label is not in this set; the message names the nearest.
        """
        self.check_classes()
        index = {label: number for number, label in enumerate(self.labels)}
        names = Ontology(self.name, self.labels, {}, "")
        indices = [index[label] if label in index else names.index(label) for label in labels]
        return np.array(indices, np.int64)

    def upper_numbers(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Upper classes (N,) int64 of labels given by index; zeros where the set has none."""
        if self.basic is None:
            return np.zeros_like(numbers)
        upper_index = {name: number for number, name in enumerate(self.upper)}
        return np.array([upper_index[name] for name in self.basic], np.int64)[numbers]

    def upper_matrix(self) -> npt.NDArray[np.float32]:
        """(C, M) float32 with 1 where a label is under an upper class; M is 0 where the set has none."""
        matrix = np.zeros((len(self.labels), len(self.upper)), np.float32)
        for row, name in enumerate(self.basic or ()):
            matrix[row, self.upper.index(name)] = 1
        return matrix


def respelled(labels: LabelSet, wanted: LabelSet) -> LabelSet:
    """Label set with the spellings of another, if its classes are the same or some of them; else unchanged.

    Args:
        labels: The set, e.g. that of a network.
        wanted: The other, e.g. that of a work folder.
    """
    spelling = {normal_label(name): name for name in wanted.labels}
    names = [normal_label(name) for name in labels.labels]
    if not {*spelling} <= {*names} or len({*names}) < len(names) or len(spelling) < len(wanted.labels):
        return labels
    own = zip(names, labels.labels, strict=True)
    return replace(labels, labels=tuple(spelling.get(name, label) for name, label in own))


@lru_cache(maxsize=1)
def fg33() -> LabelSet:
    """The 33 leaves with their upper classes (paper section III)."""
    return LabelSet(
        name=FG33,
        labels=tuple(leaf.name for leaf in leaves()),
        basic=tuple(leaf.basic for leaf in leaves()),
    )


def read_labels(index: Mapping[str, Any]) -> LabelSet:
    """Label set in the index of manifests; the 33 leaves where it has none.

    Args:
        index: Content of ``index.json``: ``scheme`` is the set's name, ``classes`` its ordered labels, which
            may be absent for a set that fgbench knows, and ``upper`` their upper classes, if any.

    Raises:
        ManifestError: If the classes are not two or more different names, or not those of the scheme.
    """
    name = str(index.get("scheme") or FG33)
    return named_labels(name, index.get("classes"), upper=index.get("upper"), origin="index.json")


def named_labels(name: str, classes: Any, *, upper: Any = None, origin: str) -> LabelSet:
    """Label set from its name and its classes.

    Args:
        name: Name of the set.
        classes: Ordered labels; ``None`` for a set that fgbench knows.
        upper: Label to upper class, where the set has upper classes of its own; else empty.
        origin: File of the classes, for messages.

    Raises:
        ManifestError: See :func:`read_labels`.
    """
    again = "run fgbench prepare again"
    if classes is None:
        if name not in ontology_names():
            raise ManifestError(f"{origin} names the label set {name!r} and does not list its classes", again)
        return fg33() if name == FG33 else LabelSet(name=name, labels=ontology(name).labels)
    if classes == []:
        return LabelSet(name=name, labels=())
    if (
        not isinstance(classes, list | tuple)
        or len(classes) < 2
        or len(set(map(str, classes))) != len(classes)
        or not all(isinstance(label, str) and label for label in classes)
    ):
        raise ManifestError(f"{origin} has classes {classes!r}, expected two or more different names", again)
    if name in (FG33, SOME_LEAVES):
        strange = sorted(set(classes) - {*fg33().labels})
        if strange:
            raise ManifestError(
                f"{origin} has the class {strange[0]!r}, expected some of the {len(fg33().labels)} leaves of "
                f"{FG33}",
                again,
            )
        kept = [leaf for leaf in leaves() if leaf.name in classes]
        if len(kept) == len(leaves()):
            return fg33()
        return LabelSet(
            name=SOME_LEAVES,
            labels=tuple(leaf.name for leaf in kept),
            basic=tuple(leaf.basic for leaf in kept),
        )
    if not upper:
        return LabelSet(name=name, labels=tuple(classes))
    if not isinstance(upper, Mapping) or not all(isinstance(upper.get(label), str) for label in classes):
        raise ManifestError(f"{origin} has upper classes {upper!r}, expected one for each class", again)
    return LabelSet(name=name, labels=tuple(classes), basic=tuple(upper[label] for label in classes))
