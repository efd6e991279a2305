"""Where results come from: commit, versions, device, seeds, settings, and the manifests that were read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fgbench.evaluation.results import CONFIG
from fgbench.manifest_index import content_digest, is_digest_of
from fgbench.reports.page.found import ClassRun, Found, UnitRun

_KEYS = ("commit", "fgbench", "python", "machine", "device", "manifest_digest", "config_digest")
_NO_DETAILS = ("trials", "clips_trained_on", "clips_chosen_on")
"""Details that are too long to read."""


def origin_json(index: Mapping[str, Any], found: Found) -> dict[str, Any]:
    """The data's origin and that of every run.

    Args:
        index: Index of the manifests of its work folder.
        found: Its runs.
    """
    files = index["files"]
    origin = index.get("origin", {})
    return {
        "manifest_digest": content_digest(index),
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
        "runs": [*(_run(run, index) for run in found.runs), *(_run(run, index) for run in found.units)],
        "faults": [list(fault) for fault in found.faults],
    }


def _run(run: ClassRun | UnitRun, index: Mapping[str, Any]) -> dict[str, Any]:
    result = run.run.result if isinstance(run, ClassRun) else run.result
    folder = run.run.folder if isinstance(run, ClassRun) else run.folder
    details = result.get("details", {})
    facts = {key: result.get(key, details.get(key)) for key in _KEYS}
    config = folder / CONFIG
    return {
        "key": run.key,
        "synthetic": run.synthetic,
        "same_manifests": is_digest_of(index, str(facts["manifest_digest"])),
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
