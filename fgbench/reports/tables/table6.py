"""Table VI: confusion of MSAU-Net among classes of sadness, beside the paper's."""

from __future__ import annotations

from pathlib import Path

from fgbench.reports.paper.confusions import confusion_table
from fgbench.reports.rendering.table import Table


def build(workdir: Path) -> Table:
    """Table VI of a work folder.

    Raises:
        NoRunError: If MSAU-Net has no finished run.
        ManifestError: If a run is damaged.
    """
    return confusion_table(workdir, name="table6", number="VI", upper="sadness")
