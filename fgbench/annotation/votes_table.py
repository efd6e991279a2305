"""``votes.csv``: the votes of a data set, read, and written whole with new ones.

Rows that stand there stay as they are, with columns and order of the user; new ones follow. The file is
replaced in one step: a process that is killed leaves the old one or the new one.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fgbench.datasets._annotation_table import COLUMNS, VOTES, column_names, full_rows, row_reader
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tables import decimal_number, open_text, whole_number
from fgbench.errors import DatasetError
from fgbench.naming import key, tidy
from fgbench.printable import cell_of, text_of
from fgbench.storage import write_text
from fgbench.taxonomy import normal_label

VOTE_COLUMNS = ("clip", "annotator", "label", "confidence", "key_frame", "round", "spent_s", "cast_at")
"""Columns that are written."""
_NEEDED = ("clip", "annotator", "label")

VoteKey = tuple[str, str, int]
"""Clip id, key of the annotator's name, and round: one vote."""


@dataclass(slots=True, kw_only=True, unsafe_hash=True)  # never changed; frozen ones take twice the time
class CastVote:
    """A vote as it stands in the table.

    Attributes:
        clip: Id of the clip.
        annotator: Name.
        round: Round.
        label: Class or reserved answer.
        confidence: 0 to 1; ``None`` if not given.
        key_frame: From 0; ``None`` if not given.
        spent_s: Seconds spent; ``None`` if unknown.
        cast_at: UTC time; empty if unknown.
    """

    clip: str
    annotator: str
    round: int
    label: str
    confidence: float | None = None
    key_frame: int | None = None
    spent_s: float | None = None
    cast_at: str = ""

    @property
    def key(self) -> VoteKey:
        """Clip, annotator and round."""
        return self.clip, key(self.annotator), self.round

    def agrees(self, other: CastVote) -> bool:
        """Return whether two votes say the same, whenever they were cast."""
        return (
            normal_label(self.label) == normal_label(other.label)
            and self.key_frame == other.key_frame
            and _text(self.confidence) == _text(other.confidence)
        )


class VotesTable:
    """Votes of a data set.

    Args:
        root: Its root.
        files: Its files.

    Raises:
        DatasetError: If ``votes.csv`` cannot be read.
    """

    def __init__(self, root: Path, files: ClipFiles) -> None:
        self.path = root / VOTES
        self._files = files
        self._columns: list[str] = list(VOTE_COLUMNS)
        self._separator = ","
        self._rows: list[list[str]] = []
        self._at: dict[VoteKey, int] = {}
        self._names: Counter[str] = Counter()
        self._paths: dict[str, str] = {}
        self._is_wide = self._is_usual = False
        if self.path.exists() or self.path.is_symlink():
            self._read()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def annotators(self) -> Counter[str]:
        """Name of each annotator, as it is spelled there, to the number of rows."""
        return Counter(self._names)

    def rounds(self) -> dict[int, int]:
        """Round to its number of votes."""
        counts: dict[int, int] = {}
        for _, _, number in self._at:
            counts[number] = counts.get(number, 0) + 1
        return counts

    def clips_of(self, before: int) -> set[str]:
        """Ids of the clips that somebody voted on before a round."""
        return {clip for clip, _, number in self._at if number < before}

    def has(self, wanted: VoteKey) -> bool:
        """Return whether a vote is there."""
        return wanted in self._at

    def find(self, wanted: VoteKey) -> CastVote | None:
        """Return a vote; ``None`` if it is not there."""
        if wanted not in self._at:
            return None
        cells = dict(zip(self._columns, self._rows[self._at[wanted]], strict=True))
        confidence = cells.get("confidence", "")
        return CastVote(
            clip=wanted[0],
            annotator=text_of(cells["annotator"]),
            round=wanted[2],
            label=text_of(cells["label"]),
            confidence=decimal_number(confidence.replace(",", ".")),
            key_frame=whole_number(cells.get("key_frame", "")),
        )

    def put(self, wanted: VoteKey, vote: CastVote) -> None:
        """Add a vote, or replace the one of the same clip, annotator and round.

        Args:
            wanted: Key of the vote.
            vote: The vote.
        """
        if not self._is_wide:
            self._widen()
        row = self._cells(vote)
        if (at := self._at.get(wanted)) is not None:
            cells = dict(zip(VOTE_COLUMNS, row, strict=True))
            old = dict(zip(self._columns, self._rows[at], strict=True))
            self._rows[at] = [
                old[name] if name == "clip" else cells.get(name, old[name]) for name in self._columns
            ]
            return
        self._at[wanted] = len(self._rows)
        self._names[vote.annotator] += 1
        if not self._is_usual:
            cells = dict(zip(VOTE_COLUMNS, row, strict=True))
            row = [cells.get(name, "") for name in self._columns]
        self._rows.append(row)

    def write(self) -> None:
        """Write the table.

        Raises:
            ResourceError: If it cannot be written; the old one is then as it was.
        """
        text = io.StringIO()
        writer = csv.writer(text, delimiter=self._separator, lineterminator="\n")
        writer.writerow(self._columns)
        writer.writerows(self._rows)
        write_text(self.path, text.getvalue())

    def _widen(self) -> None:
        """Add the columns that the table lacks, empty."""
        absent = [name for name in VOTE_COLUMNS if name not in self._columns]
        if absent:
            self._columns += absent
            for row in self._rows:
                row.extend([""] * len(absent))
        self._is_wide, self._is_usual = True, tuple(self._columns) == VOTE_COLUMNS

    def _path(self, clip: str) -> str:
        if clip not in self._paths:
            path = self._files.find(clip).path.removeprefix(self._files.before)
            self._paths[clip] = path if cell_of(path) == path else f"./{path}"
        return self._paths[clip]

    def _cells(self, vote: CastVote) -> list[str]:
        """Cells in the order of :data:`VOTE_COLUMNS`."""
        return [
            self._path(vote.clip),
            _cell_of(vote.annotator),
            _cell_of(vote.label),
            _text(vote.confidence),
            "" if vote.key_frame is None else str(vote.key_frame),
            str(vote.round),
            _text(vote.spent_s),
            vote.cast_at,
        ]

    def _read(self) -> None:
        advice = "correct it: votes are added to a table that can be read alone"
        try:
            with open_text(self.path) as file:
                reader, self._separator = row_reader(file)
                written = list(reader.fieldnames or [])
                names = column_names(reader)
                reader.fieldnames = names
                missing = [name for name in _NEEDED if name not in names]
                if missing or len(set(names)) < len(names):
                    raise DatasetError(
                        f"{self.path} has the columns {', '.join(written)[:200]}, expected "
                        f"{', '.join(COLUMNS[VOTES])}, each once",
                        advice,
                    )
                self._columns = names
                for line, row in full_rows(reader):
                    if len(row) > len(names):
                        raise DatasetError(
                            f"{self.path} line {line} has more cells than the first line", advice
                        )
                    self._add_row([cell.strip() for cell in row], line)
        except UnicodeDecodeError as error:
            raise DatasetError(f"{self.path} is not UTF-8: {error.reason}", advice) from error
        except csv.Error as error:
            raise DatasetError(f"{self.path} is not a CSV table: {error}", advice) from error

    def _add_row(self, row: list[str], line: int) -> None:
        cells = dict(zip(self._columns, row, strict=True))
        number = whole_number(cells.get("round") or "1")
        if number is None:
            raise DatasetError(
                f"{self.path} line {line}: round is {cells['round'][:60]!r}, expected a whole number",
                "correct the line",
            )
        name = tidy(text_of(cells["annotator"]))
        self._names[name] += 1
        clip = self._files.find(cells["clip"]).clip_id
        self._at.setdefault((clip, key(name), number), len(self._rows))
        self._rows.append(row)


_cell_of = lru_cache(maxsize=4096)(cell_of)
"""For names and labels, which are few."""


@lru_cache(maxsize=4096)
def _text(number: float | None) -> str:
    """A number without needless digits; empty for none."""
    return "" if number is None else f"{number:.4f}".rstrip("0").rstrip(".")
