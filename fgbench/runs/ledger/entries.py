"""Readings of runs: what of a run, its settings and its test samples stands in a line of the ledger.

Writes ``ledger.jsonl`` of work folders. A ledger that cannot be written costs no run: it is logged, and
``fgbench check`` names the run.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from fgbench import __version__, provenance
from fgbench.errors import FgbenchError
from fgbench.files.hashing import digest_json
from fgbench.log import LOGGER
from fgbench.naming import shown
from fgbench.runs.digests import PREDICTIONS_OF
from fgbench.runs.ledger.chain import LEDGER, append
from fgbench.runs.other_programs import OUTSIDE
from fgbench.runs.tested_clips import tested_labels
from fgbench.workfolders.layout import RUNS
from fgbench.workfolders.manifest_index import read_index

CLASSES: Literal["classes"] = "classes"
UNITS: Literal["action units"] = "action units"
Kind = Literal["classes", "action units"]

IN_LEDGER = "in_ledger"
"""Key of a result, true if it was written by a version that keeps a ledger: its reading has to be there."""

_NAMES = frozenset({"name", "description", "seed"})
_FILE = "file"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """An evaluation on test samples.

    Attributes:
        folder: Folder of the run, ``<work folder>/runs/<experiment>/<fold>/<seed>``.
        kind: ``"classes"`` or ``"action units"``.
        config: Settings of the run as plain values.
        details: Details of its result.
        samples: Id of each sample, and its label or labels as plain values.
        predictions: SHA-256 of the run's predictions; ``None`` where they were only compared.
    """

    folder: Path
    kind: Kind
    config: Mapping[str, Any]
    details: Mapping[str, Any]
    samples: Iterable[tuple[str, Any]]
    predictions: str | None = None


def is_run_folder(folder: Path) -> bool:
    """Whether a folder is that of a run in a work folder."""
    return len(folder.parts) > 3 and folder.parts[-4] == RUNS


def note_reading(one: Evaluated, *, earlier_runs: int = 0, is_late: bool = False) -> bool:
    """Append a reading to the ledger, of the other work folders too whose frames a run of action units tests.

    Args:
        one: The evaluation.
        earlier_runs: Finished runs before it, of which a new ledger knows nothing.
        is_late: Whether it is entered afterwards.

    Returns:
        Whether it stands in the ledger of the run's work folder; if not, the reason is logged.
    """
    home = one.folder.parents[3]
    content = reading_of(one, earlier_runs=earlier_runs, is_late=is_late)
    is_there = _appended(home, content)
    for other in () if is_late else _other_folders(home, one.details):
        run = shown(Path(os.path.relpath(one.folder, other)).as_posix())
        _appended(other, {**content, "run": run, "labels": None, "earlier_runs": earlier(other)})
    return is_there


def _appended(workdir: Path, content: Mapping[str, Any]) -> bool:
    try:
        append(workdir, content)
    except (FgbenchError, OSError) as error:
        reason = error.message if isinstance(error, FgbenchError) else str(error)
        LOGGER.warning(
            "%s: this reading of the test part is not in %s: %s", content["run"], workdir / LEDGER, reason
        )
        return False
    return True


def _other_folders(home: Path, details: Mapping[str, Any]) -> list[Path]:
    """Further work folders that a run of action units was tested on."""
    named = details.get("workdirs")
    paths = [Path(os.path.normpath(home / path)) for path in dict(named or {}).values()]
    return [path for path in paths if path.resolve() != home.resolve() and path.is_dir()]


def reading_of(one: Evaluated, *, earlier_runs: int = 0, is_late: bool = False) -> dict[str, Any]:
    """Values of a line of the ledger, without those of the chain."""
    pairs = sorted(([name, label] for name, label in one.samples), key=lambda pair: pair[0])
    return {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "run": "/".join(one.folder.parts[-3:]),
        "kind": one.kind,
        "command": provenance.command(),
        "parts": ["test"],
        "n": len(pairs),
        "samples": digest_json(pairs),
        "labels": labels_digest(one.folder.parents[3]) if one.kind == CLASSES else None,
        "configuration": configuration(one.config, one.details, experiment=one.folder.parts[-3]),
        "predictions": one.predictions,
        "is_late": is_late,
        "earlier_runs": earlier_runs,
        "fgbench": __version__,
        "commit": provenance.commit(),
    }


def labels_digest(workdir: Path) -> str | None:
    """Digest of the classes of all clips that are tested now; ``None`` without sound manifests."""
    try:
        return digest_json(tested_labels(workdir, read_index(workdir)))
    except (FgbenchError, OSError):
        return None


def configuration(config: Mapping[str, Any], details: Mapping[str, Any], *, experiment: str) -> str:
    """Digest of what is the same in all seeds and folds of a run: method, settings, where it starts from.

    Names, descriptions, seeds and paths do not count. Of predictions of other programs, their file's content
    does.

    Args:
        config: Settings of the run as plain values.
        details: Details of its result.
        experiment: Its name, which stands for the method where the details name none.
    """
    settings = {key: value for key, value in config.items() if key not in _NAMES}
    outside = settings.get(OUTSIDE)
    if isinstance(outside, Mapping):
        settings[OUTSIDE] = {key: value for key, value in outside.items() if key != _FILE}
        return digest_json(_plain(settings))
    starts = [_experiment(details.get(key)) for key in ("start", "weights")]
    starts.append("trunk" if details.get("trunk") else None)
    return digest_json(_plain([details.get("method") or experiment, settings, starts]))


def _experiment(origin: Any) -> str | None:
    """Experiment of the weights that a run starts from, without fold and seed."""
    run = origin.get("run") if isinstance(origin, Mapping) else None
    return run.split("/")[0] if isinstance(run, str) else None


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value, allow_nan=False))


def earlier(workdir: Path) -> int:
    """Number of finished runs in a work folder that has no ledger yet, else 0."""
    if (workdir / LEDGER).exists():
        return 0
    return sum(1 for name in PREDICTIONS_OF for _ in (workdir / RUNS).glob(f"*/*/*/{name}"))
