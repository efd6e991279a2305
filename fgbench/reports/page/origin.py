"""Origin of results: commit, versions, device, seeds, settings, and the manifests that were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbench.reports.page.finished_runs import ClassRun, FolderRuns, UnitRun
from fgbench.runs.results import CONFIG

_KEYS = ("commit", "fgbench", "python", "machine", "device", "manifest_digest", "config_digest")
_NO_DETAILS = ("trials", "clips_trained_on", "clips_chosen_on")
"""Details that are too long to show."""


def origin_json(index: Mapping[str, Any], folder_runs: FolderRuns, *, digest: str) -> dict[str, Any]:
    """Origin of the data and of every run.

    Args:
        index: Index of the manifests of its work folder.
        folder_runs: Its runs.
        digest: Digest of the parts of the manifests that runs read, without features.
    """
    files = index["files"]
    origin = index.get("origin", {})
    return {
        "manifest_digest": digest,
        "dataset": index["dataset"],
        "files": len(files),
        "provenance": {key: value for key, value in index.get("provenance", {}).items() if key != "packages"},
        "versions": index.get("provenance", {}).get("packages", {}),
        "recipe": _readable(origin.get("recipe", {})),
        "digests": [
            [name, described.get("sha256"), described.get("rows")]
            for name, described in sorted(files.items())
        ]
        if len(files) <= 400
        else [],
        "runs": [*map(_run, folder_runs.runs), *map(_run, folder_runs.units)],
        "faults": [list(fault) for fault in folder_runs.faults],
    }


def _run(run: ClassRun | UnitRun) -> dict[str, Any]:
    result = run.run.result if isinstance(run, ClassRun) else run.result
    folder = run.run.folder if isinstance(run, ClassRun) else run.folder
    details = result.get("details", {})
    facts = {key: result.get(key, details.get(key)) for key in _KEYS}
    config = folder / CONFIG
    return {
        "key": run.key,
        "synthetic": run.synthetic,
        "state": run.state,
        "facts": facts,
        "seed": run.seed,
        "predictions_sha256": result.get("predictions_sha256"),
        "versions": result.get("versions", {}),
        "details": _readable({k: v for k, v in details.items() if k not in _NO_DETAILS}),
        "config": config.read_text(encoding="utf-8", errors="replace") if config.is_file() else "",
    }


def _readable(value: Mapping[str, Any]) -> str:
    """Plain values as YAML."""
    import yaml

    return str(yaml.safe_dump(dict(value), sort_keys=True, allow_unicode=True)) if value else ""
