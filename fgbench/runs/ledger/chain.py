"""``ledger.jsonl`` of a work folder: one line of JSON per reading, each with the hash of the one before.

``hash`` is the SHA-256 of the line's other values as canonical JSON (keys sorted, no blanks, ASCII);
``previous`` is the ``hash`` of the line before, 64 zeros in the first. ``.ledger.json`` keeps number and hash
of the last line, so that lines removed at the end are missed as well. That shows accidents and edits; who
wants to forge can compute a chain anew, unless its last hash was published.

Lines are only ever appended, under a lock. A line that was cut off (a crash, a power failure) stays as it is;
the next one names its digest (``cut_off``).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError
from fgbench.files.hashing import digest_json
from fgbench.runs.ledger.lines import Reading as Reading
from fgbench.runs.ledger.lines import parsed
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

LEDGER = "ledger.jsonl"
HEAD = ".ledger.json"
LOCK = ".ledger.lock"

SET_APART = "the next reading sets it apart"
"""End of the fault of a line that was cut off."""

START = "0" * 64
"""``previous`` of the first line."""

FORMAT = 1
MAX_BYTES = 1 << 28
"""Largest ledger that is read: hundreds of thousands of readings."""

WAIT_S = 30.0
"""Time that a run which ends waits for others that end at the same moment."""

_ASIDE = f"move it away: the next reading begins a new {LEDGER}"
_HASH = "hash"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """Content of a ledger.

    Attributes:
        readings: The readings in their order.
        faults: A sentence per fault, without the name of the file.
    """

    readings: tuple[Reading, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def is_broken(self) -> bool:
        """Whether it has faults that the next reading does not mend."""
        return any(not fault.endswith(SET_APART) for fault in self.faults)


def append(workdir: Path, content: Mapping[str, Any]) -> Reading:
    """Append a reading, for good: it is on the disk when this returns.

    Args:
        workdir: Work folder.
        content: Values of a :class:`Reading` without ``format``, ``number``, ``cut_off``, ``previous`` and
            ``hash``; ``earlier_runs`` is kept in the first line alone.

    Raises:
        ManifestError: If the ledger is no file, or too large.
        ResourceError: If it cannot be written, its disk is full, or others hold it for long. The lines there
            are unchanged.
        ValueError: If a value is missing or of another type.
    """
    path = workdir / LEDGER
    refusal = f"other fgbench processes hold {path} for more than {WAIT_S:.0f} s"
    with (
        storage.held(workdir / LOCK, refusal, hint="end those that hang", wait_s=WAIT_S),
        storage.explained(path),
    ):
        data = _bytes(path)
        last, gap = _last(data)
        head = _read_head(workdir) or (0, START)
        number, previous = (last.number, last.hash) if last and last.number >= head[0] else head
        values = {
            **content,
            "format": FORMAT,
            "number": number + 1,
            "earlier_runs": 0 if data else content["earlier_runs"],
            "cut_off": hashlib.sha256(gap).hexdigest() if gap else None,
            "previous": previous,
        }
        values[_HASH] = digest_json(values)
        text = json.dumps(values, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")
        reading = parsed(text)
        if isinstance(reading, str):
            raise ValueError(reading)
        _write(path, b"\n" * (bool(data) and not data.endswith(b"\n")) + text + b"\n", after=len(data))
    # The line counts; a head that is behind is no fault.
    with suppress(ResourceError):
        _write_head(workdir, reading)
    return reading


def _write_head(workdir: Path, reading: Reading) -> None:
    write_sealed(workdir / HEAD, {"number": reading.number, _HASH: reading.hash})


def read_ledger(workdir: Path) -> Ledger:
    """Read and verify the ledger of a work folder; without a file it is empty.

    Damage is no error here: it is told by the faults.

    Raises:
        ResourceError: If it may not be read.
    """
    path = workdir / LEDGER
    try:
        with storage.readable(path):
            data = _bytes(path)
    except ManifestError as error:
        return Ledger(faults=(error.message.removeprefix(f"{path} "),))
    readings: list[Reading] = []
    faults = list(_chain_faults(data, readings))
    faults += _head_faults(workdir, readings)
    return Ledger(readings=tuple(readings), faults=tuple(faults))


def _bytes(path: Path) -> bytes:
    """All bytes of the ledger; none if there is no file.

    Raises:
        ManifestError: If it is a link, no regular file, or too large.
    """
    try:
        state = path.lstat()
    except FileNotFoundError:
        return b""
    if not stat.S_ISREG(state.st_mode):
        kind = "a link" if stat.S_ISLNK(state.st_mode) else "a folder" if stat.S_ISDIR(state.st_mode) else ""
        raise ManifestError(f"{path} is {kind or 'no regular file'}, expected a file", _ASIDE)
    if state.st_size > MAX_BYTES:
        size = f"{state.st_size / 1e6:,.0f} MB, expected at most {MAX_BYTES / 1e6:,.0f} MB"
        raise ManifestError(f"{path} has {size}", _ASIDE)
    return path.read_bytes()


def _write(path: Path, data: bytes, *, after: int) -> None:
    """Append bytes to a file of a known size; after a failure it has that size again."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    for name in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"):
        flags |= getattr(os, name, 0)
    number = os.open(path, flags, 0o666)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(number, rest) :]
            os.fsync(number)
        except BaseException:
            with suppress(OSError):
                os.ftruncate(number, after)
            raise
    finally:
        os.close(number)


def _last(data: bytes) -> tuple[Reading | None, bytes]:
    """The last reading, and the text after it that is none, without the end of its line."""
    end = len(data.rstrip(b"\n"))
    after = end
    while end > 0:
        begin = data.rfind(b"\n", 0, end) + 1
        reading = parsed(data[begin:end])
        if not isinstance(reading, str):
            return reading, data[end:after].strip(b"\n")
        end = begin - 1 if begin else 0
    return None, data[:after].strip(b"\n")


def _chain_faults(data: bytes, readings: list[Reading]) -> Iterator[str]:
    """Faults of the lines; the readings are put on a list."""
    expected, previous = 1, START
    gap, gap_line, why = b"", 0, ""
    is_cut = bool(data) and not data.endswith(b"\n")
    lines = data.split(b"\n")[: None if is_cut else -1]
    for number, raw in enumerate(lines, 1):
        reading = parsed(raw)
        if isinstance(reading, str):
            gap_line, why = (gap_line, why) if gap_line else (number, reading)
            gap += raw + b"\n"
            continue
        if gap_line and reading.cut_off != hashlib.sha256(gap.strip(b"\n")).hexdigest():
            yield f"line {gap_line} is no reading: {why}"
        gap, gap_line = b"", 0
        if reading.hash != digest_json(_hashed(raw)):
            yield f"line {number} was edited: its hash is not that of its content"
        if reading.number > expected:
            yield f"{_numbers(expected, reading.number - 1)} missing before line {number}"
        elif reading.number < expected or reading.previous != previous:
            yield f"line {number} does not follow the one before: lines were edited, moved or removed"
        expected, previous = reading.number + 1, reading.hash
        readings.append(reading)
    if gap_line and is_cut and gap_line == len(lines):
        yield f"line {gap_line} is cut off (a crash, or a full disk); {SET_APART}"
    elif gap_line:
        yield f"line {gap_line} is no reading: {why}"


def _hashed(raw: bytes) -> dict[str, Any]:
    """The values of a line that its hash is of; values that this version does not know are among them."""
    return {key: value for key, value in json.loads(raw).items() if key != _HASH}


def _numbers(first: int, last: int) -> str:
    return f"reading {first} is" if first == last else f"readings {first} to {last} are"


def _head_faults(workdir: Path, readings: list[Reading]) -> Iterator[str]:
    """Faults of the end of the ledger."""
    head = _read_head(workdir)
    last = readings[-1].number if readings else 0
    if head is None:
        if readings:
            yield f"{HEAD} is missing or damaged: whether the last lines are there is not known"
    elif head[0] > last:
        yield f"{_numbers(last + 1, head[0])} missing at its end"
    elif head not in {(one.number, one.hash) for one in readings}:
        yield f"reading {head[0]} is another one than was written"


def _read_head(workdir: Path) -> tuple[int, str] | None:
    """Number and hash of the last line that was written; ``None`` if they are not known."""
    path = workdir / HEAD
    try:
        if path.is_symlink():
            return None
        head = read_sealed(path)
    except (ManifestError, OSError):
        return None
    number, digest = head.get("number"), head.get(_HASH)
    return (number, digest) if isinstance(number, int) and isinstance(digest, str) else None
