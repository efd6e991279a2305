"""``ledger.jsonl`` of a work folder: every time that test samples were read, in the order in which it
happened.

A line per reading, as JSON: when, which run, of which settings and manifests, by which command. Each line
bears the digest of the one before, so that none can be changed or taken out from among them unnoticed.
Settings that were tried and thrown away stay in it: with each reading of the test part its scores tell less
of other data.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from fgbench import storage
from fgbench.errors import ManifestError

LEDGER = "ledger.jsonl"
"""Its name in the work folder."""

_FIRST = "0" * 64
_WAIT_S = 60.0
_KEYS = {"number", "time", "run", "config", "manifests", "predictions", "command", "previous"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of the test samples.

    Attributes:
        number: From 1.
        time: UTC, to the second, ISO 8601.
        run: ``experiment/fold/seed``.
        config: Digest of all settings.
        manifests: Digest of what was read of the manifests.
        predictions: SHA-256 of the predictions.
        command: The command line, or the program that called fgbench.
        previous: SHA-256 of the line before; of the first line zeros.
    """

    number: int
    time: str
    run: str
    config: str
    manifests: str
    predictions: str
    command: str
    previous: str


def add_reading(workdir: Path, *, run: str, config: str, manifests: str, predictions: str) -> None:
    """Append a reading; arguments as of :class:`Reading`.

    Raises:
        ResourceError: If the ledger cannot be written, or another process holds it for long.
    """
    path = workdir / LEDGER
    in_turn = storage.held(
        path.with_name(f".{LEDGER}.lock"),
        f"another fgbench process holds {path}",
        hint="wait for it, then run the same command again",
        wait_s=_WAIT_S,
    )
    with in_turn, storage.explained(path):
        lines = _lines(path)
        reading = Reading(
            number=len(lines) + 1,
            time=datetime.now(UTC).isoformat(timespec="seconds"),
            run=run,
            config=config,
            manifests=manifests,
            predictions=predictions,
            command=shlex.join([Path(sys.argv[0]).name or "python", *sys.argv[1:]]),
            previous=sha256(lines[-1]).hexdigest() if lines else _FIRST,
        )
        line = json.dumps(asdict(reading), ensure_ascii=False).encode("utf-8", "surrogatepass")
        # A line that a power failure cut off keeps its place, and is found when the chain is verified.
        start = b"" if not lines or path.read_bytes().endswith(b"\n") else b"\n"
        with path.open("ab") as file:
            file.write(start + line + b"\n")
            file.flush()
            os.fsync(file.fileno())


def read_ledger(workdir: Path) -> list[Reading]:
    """Return all readings, the chain verified; none where there is no ledger, as in folders of earlier
    versions.

    Raises:
        ManifestError: If a line was changed, or lines are missing before the last.
        ResourceError: If it may not be read.
    """
    path = workdir / LEDGER
    with storage.readable(path):
        lines = _lines(path)
    found, previous = [], _FIRST
    for number, line in enumerate(lines, 1):
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if not isinstance(values, dict) or set(values) != _KEYS:
            raise _broken(path, number, "is no reading")
        if values["previous"] != previous or values["number"] != number:
            raise _broken(path, number, "does not follow the one before")
        found.append(Reading(**values))
        previous = sha256(line).hexdigest()
    return found


def readings_in_words(readings: list[Reading]) -> str:
    """Return how often test samples were read, e.g. ``"read 12 times by 3 configurations"``."""
    n, configs = len(readings), len({reading.config for reading in readings})
    times = "once" if n == 1 else f"{n} times"
    return f"read {times} by {configs} configuration{'' if configs == 1 else 's'}"


def _lines(path: Path) -> list[bytes]:
    try:
        return path.read_bytes().splitlines()
    except FileNotFoundError:
        return []


def _broken(path: Path, number: int, fault: str) -> ManifestError:
    return ManifestError(
        f"line {number} of {path} {fault}: the ledger was changed after it was written, or cut off",
        "restore it from a copy; without one, move it away, and say so where results are reported",
    )
