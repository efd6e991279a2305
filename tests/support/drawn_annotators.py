"""Annotators of known reliability, and the votes that they cast on clips of known labels.

An annotator is a confusion matrix (C, C): row, the true class; column, the share of the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fgbench.records import Vote


@dataclass(frozen=True, eq=False)
class Annotator:
    """A person who votes.

    Attributes:
        name: Name in the votes.
        confusion: (C, C) float64, rows add up to 1.
    """

    name: str
    confusion: np.ndarray


def careful(n_classes: int, accuracy: float) -> np.ndarray:
    """Right with one probability in every class, else any other class."""
    others = (1 - accuracy) / (n_classes - 1)
    return np.full((n_classes, n_classes), others) + np.eye(n_classes) * (accuracy - others)


def spammer(n_classes: int) -> np.ndarray:
    """Any class, whatever the clip shows."""
    return np.full((n_classes, n_classes), 1 / n_classes)


def lazy(n_classes: int, favourite: int, effort: float) -> np.ndarray:
    """One class for everything, but for a share of the clips, where they are right."""
    matrix = np.eye(n_classes) * effort
    matrix[:, favourite] += 1 - effort
    return matrix


def confusing(n_classes: int, accuracy: float, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """Careful, but takes the classes of some pairs for each other more often than not."""
    matrix = careful(n_classes, accuracy)
    for one, other in pairs:
        for true, answer in ((one, other), (other, one)):
            matrix[true, [true, answer]] = matrix[true, [answer, true]] + [-0.1, 0.1]
            matrix[true] = np.clip(matrix[true], 0.0, None) / np.clip(matrix[true], 0.0, None).sum()
    return matrix


def mixed_group(n_classes: int, generator: np.random.Generator, size: int = 12) -> list[Annotator]:
    """Careful, confusing and lazy annotators and spammers: in twelve, seven, two, one and two."""
    pairs = [(0, 1), (2, 3)]
    matrices = []
    for number in range(size):
        kind = number % 12
        if kind < 7:
            matrices.append(careful(n_classes, generator.uniform(0.6, 0.9)))
        elif kind < 9:
            matrices.append(confusing(n_classes, generator.uniform(0.7, 0.9), pairs))
        elif kind < 10:
            matrices.append(lazy(n_classes, int(generator.integers(n_classes)), 0.3))
        else:
            matrices.append(spammer(n_classes))
    return [Annotator(f"n{number:02d}", matrix) for number, matrix in enumerate(matrices)]


def cast(
    true: Sequence[int],
    annotators: Sequence[Annotator],
    labels: Sequence[str],
    generator: np.random.Generator,
    per_clip: int = 5,
) -> list[tuple[str, list[Vote]]]:
    """Votes of some annotators, drawn anew for each clip, on clips ``c00000``, ``c00001``, ..."""
    of_clips = []
    for number, label in enumerate(true):
        chosen = generator.choice(len(annotators), per_clip, replace=False)
        votes = [
            Vote(
                annotator=annotators[who].name,
                label=labels[generator.choice(len(labels), p=annotators[who].confusion[label])],
                confidence=None,
                key_frame=None,
                round=1,
            )
            for who in chosen
        ]
        of_clips.append((f"c{number:05d}", votes))
    return of_clips
