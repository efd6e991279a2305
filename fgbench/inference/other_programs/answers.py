"""What another program said, row by row, before it is matched to samples. Plain values; nothing is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Answer(NamedTuple):
    """A row of a file.

    Attributes:
        where: File and line, for messages.
        name: The clip or file that it is of, as the file has it.
        frame: Number of the frame, from 0; ``None`` for a picture, or a clip as a whole.
        label: The class, as the program calls it; ``None`` if it says none.
        scores: Of the classes, probabilities or percent; ``None`` if there are none.
        units: Probabilities of the action units, ``None`` for one that it does not say; ``None`` for all.
    """

    where: str
    name: str
    frame: int | None = None
    label: str | None = None
    scores: tuple[float, ...] | None = None
    units: tuple[float | None, ...] | None = None

    @property
    def shown(self) -> str:
        """What it is of, for messages."""
        return self.name if self.frame is None else f"{self.name} frame {self.frame}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a program said.

    Attributes:
        format: Name of the format that it was read as.
        classes: Names of the classes that have scores, in the order of :attr:`Answer.scores`.
        units: Names of the action units as recipes have them, in the order of :attr:`Answer.units`.
        rows: In the order of the file.
        notes: Sentences on how the file was read.
    """

    format: str
    classes: tuple[str, ...]
    units: tuple[str, ...]
    rows: list[Answer]
    notes: tuple[str, ...] = ()

    @property
    def has_classes(self) -> bool:
        """Whether it tells classes apart."""
        return bool(self.classes) or any(row.label is not None for row in self.rows)
