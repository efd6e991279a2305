"""Numbers of clips or images per class and part, counted from the manifests."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from fgbench.runs.labels import LabelSet, read_labels
from fgbench.storage import read_rows
from fgbench.workfolders.layout import MANIFESTS
from fgbench.workfolders.manifest_index import read_index

IMAGE = "Image"
VIDEO = "Video"
AUGMENTED = "Augmented Image"
SOURCES = (IMAGE, VIDEO, AUGMENTED)
"""Kinds of items, named as in Table I. ``Augmented Image`` counts originals and copies: the paper's numbers
(7,826 + 5,000 = 12,826) fit only this reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetCounts:
    """Counts of a work folder.

    Attributes:
        dataset: Name of the data set.
        synthetic: Whether it is drawn.
        labels: Its classes.
        counts: ``(source, part, label)`` to number.
    """

    dataset: str
    synthetic: bool
    labels: LabelSet
    counts: Counter[tuple[str, str, str]]

    def total(self, source: str, *, part: str | None = None, label: str | None = None) -> int:
        """Number of items of a source, of all parts or one, of all classes or one."""
        return sum(
            count
            for (one_source, one_part, one_label), count in self.counts.items()
            if one_source == source and part in (None, one_part) and label in (None, one_label)
        )


def count_manifests(workdir: Path) -> DatasetCounts:
    """Count clips and images of a work folder.

    Raises:
        ManifestError: If its manifests are missing, incomplete or damaged.
    """
    index = read_index(workdir)
    folder = workdir / MANIFESTS
    counts: Counter[tuple[str, str, str]] = Counter()
    for clip in read_rows(folder / "clips.parquet", ["split", "label"]):
        counts[VIDEO, clip["split"], clip["label"]] += 1
    for name in sorted(index["files"]):
        if name.startswith("images/"):
            for image in read_rows(folder / name, ["split", "label", "parent_id"]):
                counts[AUGMENTED, image["split"], image["label"]] += 1
                if image["parent_id"] is None:
                    counts[IMAGE, image["split"], image["label"]] += 1
    return DatasetCounts(
        dataset=index["dataset"], synthetic=index["synthetic"], labels=read_labels(index), counts=counts
    )
