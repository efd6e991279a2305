"""Classes of the clips of a work folder that are tested, whatever the method. Reads manifests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from fgbench.runs.lost_clips import lost_rows
from fgbench.runs.samples import clip_samples
from fgbench.workfolders.layout import MANIFESTS


def tested_labels(workdir: Path, index: Mapping[str, Any]) -> dict[str, str]:
    """Class of each clip that is tested, including those that could not be read.

    Args:
        workdir: Work folder.
        index: Content of its index.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    manifests = workdir / MANIFESTS
    is_tested = _tests(index)
    labels = {row["id"]: row["label"] for row in lost_rows(manifests) if is_tested(row["split"])}
    return labels | {clip.clip_id: clip.label for clip in clip_samples(manifests) if is_tested(clip.part)}


def _tests(index: Mapping[str, Any]) -> Callable[[str | None], bool]:
    """Function for whether clips of a part are tested: with folds all are, those without a part may be."""
    protocol = index.get("protocol") or {}
    if protocol.get("kind") == "k-fold":
        return lambda part: True
    tested = {*(protocol.get("test") or ("test",))}
    return lambda part: not part or part in tested
