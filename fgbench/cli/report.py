"""``fgbench report``: tables and figures of the paper for a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import places
from fgbench.cli.console import note, say
from fgbench.cli.prepare import prepare

if TYPE_CHECKING:
    from types import ModuleType

    from fgbench.reports.model import Figure, Table

ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7}


def report(
    table: Annotated[str | None, typer.Option("--table", help="Number of a table, e.g. I.")] = None,
    figure: Annotated[
        str | None, typer.Option("--figure", help="Number or name of a figure, e.g. 3 or attention.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every table and figure there is.")] = False,
    workdirs: Annotated[
        list[Path] | None,
        typer.Option(
            "--workdir",
            help="Work folder; may be repeated for tables III and IV, which show a data set each.",
            show_default="./fgbench-data/demo/work",
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format", help="md, csv or png; may be repeated.", show_default="md, figures also png"
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder of the files.", show_default="reports/ in the (first) work folder"
        ),
    ] = None,
) -> None:
    """Write tables and figures, and print those that are text. Bare: everything that there are runs for."""
    from fgbench import plugins
    from fgbench.errors import ConfigError
    from fgbench.reports.experiments import NoRunError
    from fgbench.reports.render import FORMATS
    from fgbench.stages.publish import is_published

    for name in formats or ():
        if name not in FORMATS:
            raise ConfigError(f"unknown format {name!r}", f"known formats: {', '.join(FORMATS)}")
    folders = workdirs or [places.DEMO_WORKDIR]
    workdir = folders[0]
    wanted: list[tuple[str, str]] = []
    if table is not None:
        wanted.append(("reports.tables", f"table{_number(table)}"))
    if figure is not None:
        name = f"figure{figure}" if figure.isdecimal() else figure
        wanted.append(("reports.figures", name))
    whole = everything or not wanted
    if whole:
        wanted = [
            (kind, name) for kind in ("reports.tables", "reports.figures") for name in plugins.names(kind)
        ]
    if places.DEMO_WORKDIR in folders and not is_published(places.DEMO_WORKDIR):
        note("the embedded data set is not prepared yet: preparing it")
        prepare()
    folder = out or workdir / "reports"
    for kind, name in wanted:
        try:
            item = _build(plugins.load(kind, name), name, folders)
        except NoRunError as error:
            if not whole:
                raise
            note(f"left out {name}: {error.message}; {error.hint}")
            continue
        for path in write(item, folder, formats):
            note(f"wrote {path}")


def _build(module: ModuleType, name: str, workdirs: list[Path]) -> Table | Figure:
    """A table or figure of a work folder, or of several where it shows several."""
    if len(workdirs) == 1:
        single: Table | Figure = module.build(workdirs[0])
        return single
    if not hasattr(module, "build_of"):
        raise typer.BadParameter(
            f"{len(workdirs)} work folders, but {name} is of one", param_hint="--workdir"
        )
    several: Table | Figure = module.build_of(workdirs)
    return several


def write(item: Table | Figure, folder: Path, formats: list[str] | None) -> list[Path]:
    """Write a table or figure in the formats wanted, print Markdown; returns the files."""
    from fgbench import storage
    from fgbench.reports.model import Table
    from fgbench.reports.render import TEXT_FORMATS, draw_table, markdown, png

    table = item if isinstance(item, Table) else item.table
    chosen = formats or (["md"] if isinstance(item, Table) else ["md", "png"])
    written = []
    for name in chosen:
        path = folder / f"{table.name}.{name}"
        if name in TEXT_FORMATS:
            storage.write_text(path, TEXT_FORMATS[name](table))
        else:
            drawing = draw_table(table) if isinstance(item, Table) else item.draw()
            storage.write_bytes(path, png(drawing))
        written.append(path)
    say(markdown(table))
    return written


def _number(table: str) -> str:
    """``"I"`` or ``"1"`` to ``"1"``; anything else as it is, for the error of the plugin search."""
    return str(ROMAN.get(table.upper(), table))
