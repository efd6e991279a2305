"""Whether runs of action units were scored on the labels that their data set has now.

The manifests hold no labels of action units: methods read them from the data set. Reads its tables;
writes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from fgbench import plugins
from fgbench.errors import FgbenchError
from fgbench.preparation.prepare import saved
from fgbench.reports.freshness import State
from fgbench.runs.unit_results import AuPredictions

LabelsNow = Mapping[tuple[str, int | None], Mapping[str, int]]
"""Clip and frame (``None``: all others of the clip) to unit to 1 (present) or -1 (absent)."""


def labels_now(workdir: Path, clip_ids: Collection[str]) -> LabelsNow | None:
    """The labels of the clips that the data set of a work folder has now.

    Args:
        workdir: Work folder.
        clip_ids: The clips that are asked for.

    Returns:
        ``None`` where the data set is not at hand, or has no such labels.
    """
    wanted = {*clip_ids}
    try:
        config, root = saved(workdir)
        adapter = plugins.load("datasets", config.dataset.adapter)
        if not hasattr(adapter, "action_units"):
            return None
        with plugins.explained("datasets", config.dataset.adapter):
            rows = [row for row in adapter.action_units(root) if row.clip_id in wanted]
    except (FgbenchError, OSError):
        return None
    return {(row.clip_id, row.frame_index): row.labels for row in rows}


def units_state(
    state: State | None, result: Mapping[str, Any], scored: AuPredictions, now: LabelsNow | None
) -> State | None:
    """Return the state of the data that a run was made of, with the labels of its test frames.

    Args:
        state: What it was made of by its digests.
        result: Its ``au_result.json``.
        scored: Its predictions, with the labels of then.
        now: Labels of its clips now, as of :func:`labels_now`.

    Returns:
        ``"old labels"`` if a test frame has other labels now; the state itself where that is not known, as of
        runs on several data sets.
    """
    if now is None or state != "now" or "datasets" in result["details"]:
        return state
    for clip_id, name, then in zip(scored.clip_ids, scored.sample_ids, scored.labels.tolist(), strict=True):
        frame = int(name.removeprefix(f"{clip_id}-f"))
        labels = now.get((clip_id, frame), now.get((clip_id, None), {}))
        if [labels.get(unit, 0) for unit in scored.units] != then:
            return "old labels"
    return state
