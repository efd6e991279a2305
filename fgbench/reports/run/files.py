"""Files of the sheet of a run: all tables in one file, its numbers as CSV, its figures.

Writes ``run-<run>.md``, ``.html`` and ``.tex`` with all tables, ``run-<run>-<part>.csv`` and pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench import storage
from fgbench.reports.comparison.contenders import Contender
from fgbench.reports.rendering.drawing_style import drawn
from fgbench.reports.rendering.drawings import PICTURE_FORMATS, png
from fgbench.reports.rendering.files import TEXT_FORMATS, Look, file_names, write_item
from fgbench.reports.rendering.hypertext import html_page, html_picture, html_table
from fgbench.reports.rendering.table import Figure, Table
from fgbench.reports.run.figures import run_figures
from fgbench.reports.run.sheet import name_of, sheet_tables, title_of
from fgbench.workfolders.output_folders import writing_in


def printed_tables(one: Contender) -> list[Table]:
    """Tables of a run without the confusion of all classes, which is too wide for a terminal."""
    return [table for table in sheet_tables(one) if table.name != name_of(one, "confusion")]


def write_sheet(
    one: Contender,
    folder: Path,
    formats: Sequence[str] | None = None,
    *,
    look: Look | None = None,
    own: bool = False,
) -> list[Path]:
    """Write all tables and figures of a run.

    Args:
        one: The run.
        folder: Folder; created if missing.
        formats: Some of :data:`fgbench.reports.rendering.files.FORMATS`; ``None``: Markdown and PNG.
        look: Style.
        own: Whether the folder is known to be fgbench's own, see
            :func:`fgbench.workfolders.output_folders.writing_in`.

    Returns:
        The files.

    Raises:
        ConfigError: If a file exists that fgbench did not write; nothing is then written.
        ManifestError: If the manifests of its work folder are damaged.
        ResourceError: If the folder cannot be written.
    """
    tables, figures = sheet_tables(one), run_figures(one)
    kinds = list(dict.fromkeys(formats or ("md", "png")))
    parts: dict[str, Sequence[Table | Figure]] = {**dict.fromkeys(PICTURE_FORMATS, figures), "csv": tables}
    names = [
        name
        for kind in kinds
        for name in (
            [name for item in parts[kind] for name in file_names(item, [kind])]
            if kind in parts
            else [f"{name_of(one)}.{kind}"]
        )
    ]
    written = []
    with writing_in(folder, names, own=own):
        for kind in kinds:
            if kind in parts:
                written += [
                    path for item in parts[kind] for path in write_item(item, folder, [kind], look=look)
                ]
                continue
            path = folder / f"{name_of(one)}.{kind}"
            if kind == "html":
                with drawn(for_paper=look is not None and look.for_paper):
                    shown = [html_picture(png(figure.draw()), figure.table.title) for figure in figures]
                page = html_page(title_of(one, "test"), [*shown, *map(html_table, tables)])
                storage.write_text(path, page)
            else:
                storage.write_text(path, "\n".join(TEXT_FORMATS[kind](table) for table in tables))
            written.append(path)
    return written
