"""Table I: number of images, videos and augmented images per part, beside the paper's."""

from __future__ import annotations

from pathlib import Path

from fgbench.records import SPLITS
from fgbench.reports.paper.counts import SOURCES, count_manifests
from fgbench.reports.paper.numbers import table1
from fgbench.reports.rendering.table import Cell, Table, data_title


def build(workdir: Path) -> Table:
    """Table I of a work folder.

    Raises:
        ManifestError: If its manifests are missing, incomplete or damaged.
    """
    counts = count_manifests(workdir)
    paper = table1()
    rows: list[list[Cell]] = []
    for source in SOURCES:
        ours = [counts.total(source, part=part) for part in SPLITS]
        ours.append(sum(ours))
        theirs = [paper[source, part] for part in (*SPLITS, "total")]
        rows.append([source, "this data set", *ours])
        rows.append([source, "paper", *theirs])
        rows.append([source, "difference", *(mine - other for mine, other in zip(ours, theirs, strict=True))])
    return Table(
        name="table1",
        title=data_title("Table I. Data set statistics", counts.dataset, synthetic=counts.synthetic),
        columns=["Source", "Of", "Training set", "Validation set", "Test set", "Total"],
        rows=rows,
        notes=[
            "Augmented Image counts originals and their copies.",
            "Images are aligned faces near the key frame.",
        ],
    )
