"""``fgbench report --html``: the page of a work folder."""

from __future__ import annotations

from pathlib import Path

from fgbench.cli.console import note, say
from fgbench.cli.prepare import prepare
from fgbench.workfolders import default_folders

NAME = "report.html"


def show_page(workdir: Path, out: Path | None) -> None:
    """Write the page and print its path.

    Args:
        workdir: Work folder; that of the embedded data set is prepared if it is not.
        out: The file, or an existing folder; ``None``: ``reports/report.html`` in the work folder.

    Raises:
        ConfigError: If fgbench did not write the existing page in the folder, or the file is no page.
        ManifestError: If there are no manifests, or they are damaged.
        ResourceError: If the file cannot be written.
    """
    from fgbench.reports.page.build import write_page
    from fgbench.workfolders.folder import check_results
    from fgbench.workfolders.manifest_index import is_published
    from fgbench.workfolders.output_folders import check_named_file, writing_in

    if workdir == default_folders.DEMO_WORKDIR and not is_published(workdir):
        note("the embedded data set is not prepared yet: preparing it")
        prepare()
    if out is None:
        check_results(workdir)
    if out is None or out.is_dir():
        folder = out or workdir / "reports"
        path = folder / NAME
        with writing_in(folder, [NAME], own=out is None):
            size = write_page(workdir, path)
    else:
        check_named_file(out, "page of fgbench")
        path, size = out, write_page(workdir, out)
    say(f"wrote {path} ({size / 1e6:.1f} MB); open it in a browser: {path.resolve().as_uri()}")
