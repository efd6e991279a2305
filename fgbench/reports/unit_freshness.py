"""Comparison of runs of action units with the current data of the data sets that they were scored on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.reports.freshness import Present, State, read_present, worst
from fgbench.runs.unit_results import AuPredictions


def units_state(
    folder: Path, result: Mapping[str, Any], scored: AuPredictions, present: Present | None
) -> State | None:
    """State of the data of a run of action units: the worst over its data sets.

    Args:
        folder: Folder of the run.
        result: Its ``au_result.json``.
        scored: Its predictions, with the labels of then.
        present: The current data of its work folder; of further data sets they are read.

    Returns:
        ``"old labels"`` if a test frame has other labels now, or its clip is tested no more; ``"old data"``
        if frames that were trained on have other labels, or further ones have some; else by the digests of
        the manifests. Data sets that are not at hand count for nothing; ``None`` where none is.

    Raises:
        ManifestError: If the table of labels that were trained on is damaged.
    """
    details = result["details"]
    several = details.get("datasets")
    if not several:
        if present is None:
            return None
        state = present.digest_state(result)
        return _state(state, folder, str(details["dataset"]), "", details, scored, present)
    workdir = folder.parents[3].resolve()
    states: list[State] = []
    for name, digest in several.items():
        other = Path(os.path.normpath(workdir / details.get("workdirs", {}).get(name, ".")))
        there = present if other == workdir else read_present(other)
        if there is None or there.dataset != name:
            continue
        state = there.digest_state({**result, "manifest_digest": digest})
        states.append(_state(state, folder, name, f"{name}/", details, scored, there))
    return worst(states) if states else None


def _state(
    state: State,
    folder: Path,
    dataset: str,
    prefix: str,
    details: Mapping[str, Any],
    scored: AuPredictions,
    present: Present,
) -> State:
    """State of the part of a run that is of one data set, whose clips begin with the prefix."""
    frames = [
        (clip.removeprefix(prefix), int(name.removeprefix(f"{clip}-f")), labels)
        for clip, name, labels in zip(scored.clip_ids, scored.sample_ids, scored.labels.tolist(), strict=True)
        if clip.startswith(prefix)
    ]
    is_by_parts = not _is_own_fold(str(details.get("fold", "")))
    if is_by_parts and state != "now" and any(clip not in present.labels for clip, _, _ in frames):
        return "old labels"
    if present.units is None:
        return state
    now = present.units.of([(clip, number) for clip, number, _ in frames])
    if now is not None and any(
        [now.get((clip, number), {}).get(unit, 0) for unit in scored.units] != labels
        for clip, number, labels in frames
    ):
        return "old labels"
    if state == "now" and present.units.differ_from(folder, dataset):
        return "old data"
    return state


def _is_own_fold(fold: str) -> bool:
    """Whether a fold is one of ``--folds``, which tests clips of all parts."""
    number, _, of = fold.partition("of")
    return number.isdecimal() and of.isdecimal()
