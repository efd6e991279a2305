"""Predictions of a network for a picture, a face or a video, as values."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench.api.showing import paragraph, table

_MOST_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prediction:
    """Prediction of a network for a picture, for one of its faces, or for a video.

    Attributes:
        path: The file; ``None`` for pixels.
        status: ``ok``, or why there is no prediction: ``no_face``, ``ambiguous``, ... as in the table
            ``faces``, or the reason for which a file cannot be read.
        message: The same in words, where something is wrong.
        probabilities: A probability per class, or per action unit (each by itself); of a video the mean over
            its usable frames. Empty without a prediction.
        upper: A probability per upper class (of the 33 classes: the basic expressions); empty where there are
            none.
        box_xyxy: (4,) box of the face, px of the picture; of a video, in the frame with the surest class.
        n_people: Faces in the picture; of a video the most in a frame.
        n_frames: Frames read.
        n_faces: Frames with a usable face.
        is_units: Whether probabilities are those of action units.
    """

    path: Path | None
    status: str
    message: str
    probabilities: dict[str, float]
    upper: dict[str, float]
    box_xyxy: npt.NDArray[np.float32] | None
    n_people: int
    n_frames: int
    n_faces: int
    is_units: bool

    @property
    def label(self) -> str | None:
        """The likeliest class; ``None`` without a prediction, and for action units."""
        return None if self.is_units or not self.probabilities else self._ranked[0][0]

    @property
    def units(self) -> list[str]:
        """Action units with a probability of at least 0.5."""
        return [name for name, share in self.probabilities.items() if share >= 0.5] if self.is_units else []

    @property
    def _ranked(self) -> list[tuple[str, float]]:
        return sorted(self.probabilities.items(), key=lambda item: -item[1])

    def __repr__(self) -> str:
        of = "" if self.path is None else f" of {self.path.name}"
        if not self.probabilities:
            return f"<Prediction{of}: none, {self.status}{': ' if self.message else ''}{self.message}>"
        most = ", ".join(f"{name} {share:.2f}" for name, share in self._ranked[:_MOST_SHOWN])
        return f"<Prediction{of}: {most}>"

    def _repr_html_(self) -> str:
        if not self.probabilities:
            return paragraph(repr(self)[1:-1])
        import pandas as pd

        shown = pd.DataFrame(
            self._ranked[:_MOST_SHOWN], columns=["unit" if self.is_units else "class", "probability"]
        )
        name = "" if self.path is None else paragraph(self.path.name)
        return name + table(shown, index=False)
