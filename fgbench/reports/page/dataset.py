"""Data set on the page: counts per class, and sheets of faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fgbench.records import SPLITS
from fgbench.reports.page.samples import Original
from fgbench.reports.page.sheets import Sheets
from fgbench.reports.paper.counts import SOURCES, DatasetCounts
from fgbench.taxonomy import leaves

N_FACES = 24
"""Number of faces in the contact sheet of a class."""

SIDE_PX = 80


class ContactSheets:
    """One sheet of faces per class, of as many clips as possible: the frame nearest to each key frame first.

    Args:
        originals: The image set.
        sheets: Sheets to request pictures from.
    """

    def __init__(self, originals: Sequence[Original], sheets: Sheets) -> None:
        groups: dict[str, list[Original]] = {}
        for original in originals:
            groups.setdefault(original.label, []).append(original)
        self._chosen = {label: _spread(groups[label]) for label in in_order(groups)}
        self._numbers = {
            label: sheets.want([original.name for original in chosen], side_px=SIDE_PX)[0]
            for label, chosen in self._chosen.items()
        }
        self._totals = {label: len(group) for label, group in groups.items()}
        self._sheets = sheets

    def json(self) -> list[dict[str, Any]]:
        """Per class its name, its number of originals, and faces as ``[id, part, sheet, cell]``."""
        sheets = []
        for label, chosen in self._chosen.items():
            sheet = self._numbers[label]
            faces = [[one.name, one.part, sheet, self._sheets.cell_of(sheet, one.name)] for one in chosen]
            sheets.append({"label": label, "n": self._totals[label], "faces": faces})
        return sheets


def counts_json(counts: DatasetCounts) -> dict[str, Any]:
    """Numbers of images, clips and images with copies, per part and class."""
    labels = in_order({label for _, _, label in counts.counts})
    return {
        "labels": labels,
        "parts": list(SPLITS),
        "sources": {
            source: [[counts.counts[source, part, label] for label in labels] for part in SPLITS]
            for source in SOURCES
        },
    }


def in_order(labels: Sequence[str] | set[str] | dict[str, Any]) -> list[str]:
    """Classes in the order of the class tree; others last, by name."""
    rank = {leaf.name: leaf.class_id for leaf in leaves()}
    return sorted(labels, key=lambda label: (rank.get(label, len(rank)), label))


def _spread(group: Sequence[Original]) -> list[Original]:
    """The best frame of every clip, as its other frames look alike; the first :data:`N_FACES` by name."""
    best: dict[str, Original] = {}
    for original in sorted(group, key=lambda one: (one.away, one.name)):
        best.setdefault(original.clip_id, original)
    return sorted(best.values(), key=lambda one: one.name)[:N_FACES]
