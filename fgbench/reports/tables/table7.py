"""Table VII: confusion of MSAU-Net among classes of happiness, beside the paper's."""

from __future__ import annotations

from pathlib import Path

from fgbench.reports.paper.confusions import confusion_table
from fgbench.reports.rendering.table import Table


def build(workdir: Path) -> Table:
    """Table VII of a work folder.

    Raises:
        NoRunError: If MSAU-Net has no finished run.
        ManifestError: If a run is damaged.
    """
    return confusion_table(workdir, name="table7", number="VII", upper="happiness")
