"""A network's own classes, or its comparison with sentences, as a classifier without any training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from fgbench.errors import ConfigError
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.head import Head
from fgbench.methods.backbone.hf_runs import text_features
from fgbench.methods.backbone.opening import as_scores
from fgbench.methods.backbone.prompts import prompts_of
from fgbench.naming import first_few
from fgbench.runs.class_names import Level, match_classes
from fgbench.runs.labels import LabelSet
from fgbench.runs.levels import six_of


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Untrained:
    """A classifier that was not trained.

    Attributes:
        frozen: The network, whose features it takes.
        head: The classifier.
        level: The classes that it tells, and those of the data set that they are.
        notes: Sentences on it, for results.
    """

    frozen: Frozen
    head: Head
    level: Level
    notes: Sequence[str]

    def labels(self, own: LabelSet) -> LabelSet:
        """Return the label set of its classes."""
        if self.level.classes == own.labels:
            return own
        return LabelSet(name=self.level.name, labels=self.level.classes)


def own_classes(frozen: Frozen, labels: LabelSet, mapping: Mapping[str, str]) -> Untrained:
    """Return a network's own classes as classes of a data set.

    Args:
        frozen: A classifier, with the names of its classes.
        labels: The classes of the data set.
        mapping: Class of the network to class of the data set, or to ``""`` to leave it out.

    Raises:
        ConfigError: If its classes have no names, or have no counterpart in the data set.
    """
    if not frozen.classes:
        raise ConfigError(
            f"{frozen.name} does not name its classes, expected their names in its files",
            "name them in the order of its outputs, one a line: --classes FILE",
        )
    repeated = sorted({name for name in frozen.classes if list(frozen.classes).count(name) > 1})
    if repeated:
        raise ConfigError(
            f"{frozen.name} has the class {repeated[0]!r} twice, expected each once",
            "name them: --classes FILE",
        )
    names = match_classes(frozen.classes, labels, mapping)
    matrix = np.zeros((len(frozen.classes), len(names.level.classes)), np.float32)
    for row, name in enumerate(frozen.classes):
        if (label := names.meant[name]) is not None:
            matrix[row, names.level.classes.index(label)] = 1.0
    notes = ["its own classes, without training"]
    if names.left_out:
        notes.append(f"classes of the network that are left out: {first_few(names.left_out)}")
    if names.never_predicted:
        notes.append(f"classes that the network does not have: {first_few(names.never_predicted)}")
    head = _linear(torch.from_numpy(matrix), scaling="none", becomes="shares")
    return Untrained(frozen=as_scores(frozen), head=head, level=names.level, notes=notes)


def by_texts(frozen: Frozen, labels: LabelSet, *, level: str, prompts: Path | None) -> Untrained:
    """Return the comparison of faces with sentences on each class.

    Args:
        frozen: A network of pictures and texts.
        labels: The classes of the data set.
        level: ``"data"`` or ``"six"``.
        prompts: The user's own file of sentences.

    Raises:
        ConfigError: If the data set has none of the six classes, or the file cannot be used.
    """
    classes = six_of(labels) if level == "six" else _own(labels)
    texts, scale = text_features(frozen, prompts_of(classes.classes, prompts))
    head = _linear((texts * scale).T.contiguous(), scaling="length", becomes="softmax")
    n_texts = f"{len(classes.classes)} classes in sentences, without training"
    return Untrained(frozen=frozen, head=head, level=classes, notes=[n_texts])


def _own(labels: LabelSet) -> Level:
    return Level(
        name=labels.name, classes=labels.labels, truth={one: one for one in labels.labels}, is_upper=False
    )


def _linear(weights: torch.Tensor, *, scaling: str, becomes: str) -> Head:
    tensors = {"weights": weights, "offsets": torch.zeros(weights.shape[1])}
    return Head(scaling=scaling, decides="linear", becomes=becomes, tensors=tensors)  # type: ignore[arg-type]
