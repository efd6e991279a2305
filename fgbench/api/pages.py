"""``work.page``: one page of a work folder for a browser."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fgbench.api.arguments import path_of, path_or_none
from fgbench.notebook_lines import NotebookLines

NAME = "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(NotebookLines):
    """A page that was written.

    Attributes:
        path: The file.
        size_bytes: Its size.
    """

    path: Path
    size_bytes: int

    def lines(self) -> list[str]:
        """Return lines of text: the file, and its address for a browser."""
        size = f"{self.size_bytes / 1e6:.1f} MB"
        return [f"wrote {self.path} ({size}); open it in a browser: {self.path.resolve().as_uri()}"]


def page(workdir: str | os.PathLike[str], out: str | os.PathLike[str] | None = None) -> Page:
    """Write the page of a work folder: data set, every run with curves and confusions, comparison.

    It is one file that needs no network.

    Args:
        workdir: Work folder with manifests; runs as many as there are.
        out: The file, or an existing folder; ``None``: ``reports/report.html`` in the work folder.

    Raises:
        ConfigError: If fgbench did not write the existing page in the folder, or the file is no page.
        ManifestError: If there are no manifests, or they are damaged.
        ResourceError: If the file cannot be written.
    """
    from fgbench.reports.page.build import write_page
    from fgbench.workfolders.folder import check_results
    from fgbench.workfolders.output_folders import check_named_file, writing_in

    work = path_of("workdir", workdir, example="work.path")
    target = path_or_none("out", out, example="out='report.html'")
    if target is None:
        check_results(work)
    if target is not None and not target.is_dir():
        check_named_file(target, "page of fgbench")
        return Page(path=target, size_bytes=write_page(work, target))
    folder = target or work / "reports"
    with writing_in(folder, [NAME], own=target is None):
        return Page(path=folder / NAME, size_bytes=write_page(work, folder / NAME))
