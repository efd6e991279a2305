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

    def later(self, by_s: float) -> Span:
        """The interval or point so many seconds later."""
        if not by_s:
            return self
        return Span(round(self.start_s + by_s, 9), round(self.end_s + by_s, 9), self.text)


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
class Medium:
    """A recording that a file of annotations names.

    Attributes:
        name: Path or URL; a name without suffix where the file names no recording.
        origin_s: Time of the recording, in seconds, at which the time of the file begins.
    """

    name: str
    origin_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """Annotations of one recording.

    Attributes:
        media: Recordings as the file names them, the most telling first.
        tiers: Tiers, in the order of the file, in seconds of its own time.
    """

    media: tuple[Medium, ...]
    tiers: tuple[Tier, ...]
