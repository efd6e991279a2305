"""Upper classes of one's own: what a recipe groups with ``dataset.upper``, for the sheet of a run.

Reads the index of the manifests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbench.evaluation.hierarchy import are_leaves, grouped_counts
from fgbench.evaluation.metrics import Counts
from fgbench.runs.labels import read_labels
from fgbench.workfolders.manifest_index import is_published, read_index


def own_upper(workdir: Path, classes: Sequence[str]) -> dict[str, str]:
    """Class to upper class; empty where the data set of the work folder groups no classes of its own, or now
    has other classes than these.

    Args:
        workdir: Work folder.
        classes: C names, those of a run.

    Raises:
        ManifestError: If the index is damaged.
    """
    if are_leaves(classes) or not is_published(workdir):
        return {}
    labels = read_labels(read_index(workdir))
    if labels.basic is None or {*labels.labels} != {*classes}:
        return {}
    return dict(zip(labels.labels, labels.basic, strict=True))


def own_upper_counts(
    confusion: Counts, classes: Sequence[str], upper: Mapping[str, str]
) -> tuple[list[str], Counts]:
    """Upper classes in the order of their first class, and (U, U + 1) counts of them.

    Args:
        confusion: (C, C + 1) as of :func:`fgbench.evaluation.metrics.confusion_matrix`.
        classes: C names.
        upper: Class to upper class, not empty.
    """
    return grouped_counts(confusion, [upper[name] for name in classes])
