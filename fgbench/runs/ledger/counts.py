"""Readings of the test part of a work folder, as numbers and as a sentence. Reads the ledger."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from fgbench.errors import FgbenchError
from fgbench.naming import counted
from fgbench.runs.ledger.chain import LEDGER, Ledger, read_ledger
from fgbench.runs.ledger.entries import CLASSES, UNITS, Kind, labels_digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Readings of a test part.

    Attributes:
        kind: ``"classes"`` or ``"action units"``.
        readings: Number of readings with the test labels of now; of action units, with whichever.
        configurations: Number of different configurations among them.
        since: Day of the first of them, UTC, ISO 8601; empty without any.
        other_labels: Number of readings with earlier test labels.
        earlier_runs: Number of runs that were there when the ledger began.
        is_sound: Whether the ledger has no fault.
    """

    kind: Kind
    readings: int
    configurations: int
    since: str
    other_labels: int
    earlier_runs: int
    is_sound: bool


def count_readings(workdir: Path, kind: Kind = CLASSES, *, ledger: Ledger | None = None) -> Counts:
    """Count the readings of the test part of a work folder.

    Args:
        workdir: Work folder.
        kind: What was evaluated.
        ledger: Its ledger, if it was read already.

    Raises:
        ResourceError: If the ledger may not be read.
    """
    ledger = read_ledger(workdir) if ledger is None else ledger
    of_kind = [reading for reading in ledger.readings if reading.kind == kind]
    labels = labels_digest(workdir) if of_kind and kind == CLASSES else None
    now = [reading for reading in of_kind if kind == UNITS or reading.labels == labels]
    return Counts(
        kind=kind,
        readings=len(now),
        configurations=len({reading.configuration for reading in now}),
        since=now[0].time[:10] if now else "",
        other_labels=len(of_kind) - len(now),
        earlier_runs=ledger.readings[0].earlier_runs if ledger.readings else 0,
        is_sound=not ledger.faults,
    )


def sentence(counts: Counts) -> str:
    """Sentence on the readings, for notes of tables."""
    what = "Test part" if counts.kind == CLASSES else "Test labels of action units"
    if not counts.readings and counts.other_labels:
        text = f"{what} not read with its labels of now"
    elif not counts.readings:
        text = f"{what} not read since {LEDGER} begins"
    else:
        by = counted(counts.configurations, "configuration")
        text = f"{what} read {counted(counts.readings, 'time')} by {by} since {counts.since}"
    if counts.other_labels:
        text += f", and {counted(counts.other_labels, 'time')} with earlier test labels"
    if counts.earlier_runs:
        text += f"; readings of {counted(counts.earlier_runs, 'run')} made before are not known"
    if not counts.is_sound:
        text += f"; {LEDGER} is damaged, so that there may be more (fgbench check)"
    return f"{text}."


def reading_notes(workdirs: Path | Iterable[Path], kind: Kind = CLASSES) -> list[str]:
    """A sentence per work folder; with several, each with the name of its folder.

    Nothing of a work folder without a ledger, unless it has runs, of which then is told that it is not known.

    Args:
        workdirs: One work folder, or several.
        kind: What was evaluated.
    """
    folders = [workdirs] if isinstance(workdirs, Path) else list(dict.fromkeys(workdirs))
    notes = []
    for workdir in folders:
        before = f"{workdir.absolute().parent.name}: " if len(folders) > 1 else ""
        notes.append(before + _note(workdir, kind))
    return notes


def _note(workdir: Path, kind: Kind) -> str:
    try:
        ledger = read_ledger(workdir)
    except FgbenchError as error:
        return f"How often the test part was read is not known: {error.message}."
    if not ledger.readings and not ledger.faults:
        return f"How often the test part was read is not known: {LEDGER} begins with the next reading."
    return sentence(count_readings(workdir, kind, ledger=ledger))


def ledger_lines(workdir: Path) -> list[str]:
    """Lines on the ledger of a work folder, for people: what was read how often, and the last hash.

    Args:
        workdir: Work folder; without a ledger there are none.

    Raises:
        ResourceError: If the ledger may not be read.
    """
    ledger = read_ledger(workdir)
    kinds = {reading.kind for reading in ledger.readings}
    lines = [
        sentence(count_readings(workdir, kind, ledger=ledger)) for kind in (CLASSES, UNITS) if kind in kinds
    ]
    if ledger.readings and not ledger.faults:
        lines.append(f"{LEDGER} ends with {ledger.readings[-1].hash}")
    return lines


def ledger_json(workdir: Path) -> dict[str, Any]:
    """The ledger of a work folder in numbers, as plain values.

    Args:
        workdir: Work folder.

    Raises:
        ResourceError: If the ledger may not be read.
    """
    ledger = read_ledger(workdir)
    return {
        "counts": [asdict(count_readings(workdir, kind, ledger=ledger)) for kind in (CLASSES, UNITS)],
        "faults": list(ledger.faults),
        "head": ledger.readings[-1].hash if ledger.readings else None,
    }
