"""What networks of single faces say of themselves, where they say nothing else."""

from __future__ import annotations

from fgbench.methods.protocol import Task
from fgbench.runs.labels import LabelSet


class OfSingleFaces:
    """Tells classes of stored faces; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        labels: The classes that it tells apart, in the order of the probabilities.
    """

    __slots__ = ()

    labels: LabelSet

    @property
    def task(self) -> Task:
        """``"images"``."""
        return "images"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.labels.labels

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty for a label set without."""
        return self.labels.upper

    @property
    def features(self) -> tuple[str, ...]:
        """None: it reads the image set alone."""
        return ()

    @property
    def n_zooms(self) -> int:
        """0: it looks at the whole face alone."""
        return 0

    @property
    def tells_faces(self) -> bool:
        """True."""
        return True

    @property
    def needs_landmarks(self) -> bool:
        """False: it takes pictures as they are, too."""
        return False
