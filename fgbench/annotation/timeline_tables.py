"""Tables of a data set to which annotations of ELAN and Praat are added."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from fgbench.annotation.clip_tables import ClipTable, Row, agrees
from fgbench.annotation.clips_in_time import MarkedAnswer
from fgbench.annotation.recordings import Recording
from fgbench.catalogue.pseudonyms import ensure_salt
from fgbench.datasets._annotation_table import ANNOTATIONS, VOTES
from fgbench.datasets._clip_files import STRETCH, ClipFiles
from fgbench.datasets._tables import whole_number
from fgbench.naming import key
from fgbench.printable import text_of


class TimelineTables:
    """Tables that an import adds to.

    Args:
        root: Root of the data set.
        files: Its files.
        is_voted: Whether labels are votes.
        number: Round of the votes.

    Attributes:
        about: ``annotations.csv``.
        main: The table with the labels.
        n_same: Labels that were there already.

    Raises:
        DatasetError: If a table cannot be read.
    """

    def __init__(self, root: Path, files: ClipFiles, *, is_voted: bool, number: int) -> None:
        def clip_of(row: Row) -> str:
            return files.find(row["clip"]).clip_id

        def vote_of(row: Row) -> tuple[str, str, int | None]:
            return clip_of(row), key(text_of(row["annotator"])), whole_number(row.get("round") or "1")

        self._clip_of = clip_of
        self._round = number
        self.n_same = 0
        self.about = ClipTable(root / ANNOTATIONS, ["clip"], clip_of)
        self.main = (
            ClipTable(root / VOTES, ["clip", "annotator", "label"], vote_of) if is_voted else self.about
        )

    @property
    def is_voted(self) -> bool:
        """Whether labels are votes."""
        return self.main is not self.about

    @property
    def annotators(self) -> Counter[str]:
        """Name of each annotator whose votes are there, as it is spelled, to the number of rows."""
        return Counter(text_of(row["annotator"]) for row in self.main.rows) if self.is_voted else Counter()

    def ends_of(self, recording: Recording) -> list[tuple[float, float]]:
        """Ends in seconds of the clips that were cut from a recording before."""
        ends = set()
        for row in (*self.main.rows, *self.about.rows):
            folder, _, name = self._clip_of(row).rpartition("/")
            match = STRETCH.fullmatch(name)
            if match and folder == recording.name:
                ends.add((int(match[1]) / 1000, int(match[2]) / 1000))
        return sorted(ends)

    def add(self, clip: str, source: str, answer: MarkedAnswer, fps: float | None) -> Row | None:
        """Add the answer of one person on a clip; return the row with another answer that is there.

        Args:
            clip: Name of the clip.
            source: Name of its recording.
            answer: The answer.
            fps: Frames per second of a clip that is a folder of pictures; ``None`` for others.
        """
        row = {"clip": clip, "label": answer.label, "key_frame": _text(answer.key_frame)}
        if answer.confidence is not None:
            row |= {"confidence": _text(answer.confidence)}
        about = {"source": source} if fps is None else {"source": source, "fps": _text(fps)}
        if not self.is_voted:
            row |= about
        else:
            self.about.add({"clip": clip, **about})
            row |= {"annotator": answer.annotator, "round": str(self._round)}
        there = self.main.add(row)
        if there is not None and agrees(there, row):
            self.n_same += 1
            return None
        return there

    def write(self) -> None:
        """Write the tables."""
        self.about.write()
        if self.is_voted:
            if not self.main.path.exists():  # the first votes: nothing was made with other pseudonyms
                ensure_salt(self.main.path.parent)
            self.main.write()


def _text(number: float | None) -> str:
    """A number without needless digits; empty for none."""
    return "" if number is None else f"{number:.6f}".rstrip("0").rstrip(".")
