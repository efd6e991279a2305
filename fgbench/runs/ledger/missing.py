"""Finished runs whose reading of the test part is not in the ledger. Reads results and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import FgbenchError
from fgbench.runs.digests import PREDICTIONS_OF
from fgbench.runs.ledger.again import enter_afterwards
from fgbench.runs.ledger.chain import LEDGER, Ledger, read_ledger
from fgbench.runs.ledger.entries import IN_LEDGER
from fgbench.workfolders.layout import RUNS

NOT_THERE = f"its reading of the test part is not in {LEDGER}"
"""Fault of a run, after its name."""


def ledger_faults(workdir: Path, ledger: Ledger) -> list[str]:
    """Faults of a ledger, and of the runs that it has to have, each as ``<path>: <what is wrong>``.

    Args:
        workdir: Work folder.
        ledger: Its ledger.
    """
    faults = [f"{LEDGER}: {fault}" for fault in ledger.faults]
    return [
        *faults,
        *(f"{run.relative_to(workdir).as_posix()}: {NOT_THERE}" for run in _lacking(workdir, ledger)),
    ]


def enter_lacking(workdir: Path) -> list[str]:
    """Enter the readings of finished runs that the ledger lacks; damaged runs are left out.

    Into a broken ledger nothing is entered, so that its user can put it back as it was.

    Args:
        workdir: Work folder.

    Returns:
        Names of the runs, ``<experiment>/<fold>/<seed>``.

    Raises:
        ResourceError: If the ledger may not be read.
    """
    entered: list[str] = []
    ledger = read_ledger(workdir)
    for run in () if ledger.is_broken else _lacking(workdir, ledger):
        try:
            is_there = enter_afterwards(run)
        except FgbenchError:  # the check names it
            continue
        if is_there:
            entered.append("/".join(run.parts[-3:]))
    return entered


def _lacking(workdir: Path, ledger: Ledger) -> list[Path]:
    """Folders of runs that were written by a version with a ledger, and are not in it."""
    there = {(reading.run, reading.predictions) for reading in ledger.readings}
    lacking = []
    for name in PREDICTIONS_OF:
        for path in sorted((workdir / RUNS).glob(f"*/*/*/{name}")):
            result = _object(path)
            key = ("/".join(path.parent.parts[-3:]), result.get("predictions_sha256"))
            if result.get(IN_LEDGER) is True and key not in there:
                lacking.append(path.parent)
    return lacking


def _object(path: Path) -> Mapping[str, Any]:
    """Content of a result; nothing of a damaged one, which other checks name."""
    try:
        content = storage.read_json(path)
    except (FgbenchError, OSError):
        return {}
    return content if isinstance(content, dict) else {}
