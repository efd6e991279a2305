"""Predictions of another program, row by row, before they are matched to samples. Reads no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class PredictionRow(NamedTuple):
    """Prediction of one row of a file.

    Attributes:
        where: File and line, for messages.
        name: Clip or file of the row, as the file spells it.
        frame: Number of the frame, from 0; ``None`` for a picture, or a clip as a whole.
        label: Class, by the program's own name; ``None`` if the row has none.
        scores: Probabilities or percent of the classes; ``None`` if the row has none.
        units: Probabilities of the action units, ``None`` for an empty cell; ``None`` if the row has none.
    """

    where: str
    name: str
    frame: int | None = None
    label: str | None = None
    scores: tuple[float, ...] | None = None
    units: tuple[float | None, ...] | None = None

    @property
    def shown(self) -> str:
        """Clip and frame, for messages."""
        return self.name if self.frame is None else f"{self.name} frame {self.frame}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictionTable:
    """Predictions of a program.

    Attributes:
        format: Name of the format of the file.
        classes: Names of the classes with scores, in the order of :attr:`PredictionRow.scores`.
        units: Names of the action units, spelled as in recipes, in the order of :attr:`PredictionRow.units`.
        rows: In the order of the file.
        notes: Sentences on how the file was read.
    """

    format: str
    classes: tuple[str, ...]
    units: tuple[str, ...]
    rows: list[PredictionRow]
    notes: tuple[str, ...] = ()

    @property
    def has_classes(self) -> bool:
        """Whether there are predictions of classes."""
        return bool(self.classes) or any(row.label is not None for row in self.rows)
