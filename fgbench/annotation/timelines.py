"""Annotations along the time of a recording: tiers of intervals or points, as ELAN and Praat have them."""

from __future__ import annotations

from dataclasses import dataclass

MOST_BYTES = 32 << 20
"""Size of a file of annotations that is read; ours."""
MOST_SPANS = 200_000
"""Intervals and points in a file that is read; ours."""


@dataclass(frozen=True, slots=True)
class Span:
    """An interval of a tier, or a point.

    Attributes:
        start_s: Its beginning in seconds of the recording.
        end_s: Its end; that of a point is its beginning.
        text: What is written there, without blanks at its ends.
    """

    start_s: float
    end_s: float
    text: str

    @property
    def middle_s(self) -> float:
        """Time halfway between its ends, in seconds."""
        return (self.start_s + self.end_s) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A tier.

    Attributes:
        name: Name, e.g. ``"label@anna"``.
        annotator: Annotator whom the file names for it; empty if it names none.
        spans: Intervals or points, ordered by time.
        n_untimed: Annotations without a time, which are left out.
    """

    name: str
    annotator: str
    spans: tuple[Span, ...]
    n_untimed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Annotations of one recording.

    Attributes:
        media: Recordings as the file names them, paths or URLs, the most telling first; a name without suffix
            where the file names none.
        tiers: Tiers, in the order of the file.
    """

    media: tuple[str, ...]
    tiers: tuple[Tier, ...]
