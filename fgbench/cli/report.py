"""``fgbench report``: tables and figures of the paper for a work folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.compare import show_sheet
from fgbench.cli.console import note, say
from fgbench.cli.data_folders import refuse_absent
from fgbench.cli.next_steps import after_report
from fgbench.cli.page import show_page
from fgbench.cli.prepare import prepare
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_places as places

if TYPE_CHECKING:
    from types import ModuleType

    from fgbench.reports.index import Entry
    from fgbench.reports.rendering.files import Look
    from fgbench.reports.rendering.table import Figure, Table

_FOR_PAPER = "paper"


def report(
    table: Annotated[
        str | None,
        typer.Option("--table", help="Number or name of a table, e.g. I.", autocompletion=completion.table),
    ] = None,
    figure: Annotated[
        str | None,
        typer.Option(
            "--figure",
            help="Number or name of a figure, e.g. 3 or attention.",
            autocompletion=completion.figure,
        ),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run",
            help="A run: its scores, calibration, coverage, confusions.",
            show_default="none",
            autocompletion=completion.run,
        ),
    ] = None,
    html: Annotated[bool, typer.Option("--html", help="One page of it all, for a browser.")] = False,
    everything: Annotated[bool, typer.Option("--all", help="Every table and figure there is.")] = False,
    workdirs: Annotated[
        list[Path] | None,
        workdir_option("Work folder; may be repeated for tables III and IV, which show a data set each."),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="md, tex, csv, html; figures also png, pdf, svg; may be repeated.",
            show_default="md, figures also png; for a paper tex, figures also pdf; with --all: "
            "tables all that are text, figures all",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            help="Folder of the files; with --html the file.",
            show_default="reports/ in the (first) work folder",
        ),
    ] = None,
    for_: Annotated[
        str | None,
        typer.Option(
            "--for",
            metavar="paper",
            help="paper: figures 3.5 or 7.16 inches wide with letters of 8 points and no title; no commands.",
            show_default="a screen",
        ),
    ] = None,
    without_paper: Annotated[
        bool, typer.Option("--without-paper", help="Our numbers alone, none of the paper's.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="Print the tables, also where none is named.")] = False,
) -> None:
    """Write tables and figures, and print those that are named. Bare: everything that there are runs for.

    With --all in all formats that suit, with an index that tells what is blank and how to fill it.
    """
    from fgbench import plugins
    from fgbench.errors import ConfigError, ManifestError
    from fgbench.reports.experiments import NoRunError, damaged_runs
    from fgbench.reports.index import Entry
    from fgbench.reports.rendering.files import FORMATS, PAPER_FORMATS, Look
    from fgbench.workfolders.folder import check_results
    from fgbench.workfolders.layout import RUNS
    from fgbench.workfolders.manifest_index import has_classes, is_published

    for name in formats or ():
        if name not in FORMATS:
            raise ConfigError(f"unknown format {name!r}", f"known formats: {', '.join(FORMATS)}")
    if for_ not in (None, _FOR_PAPER):
        raise typer.BadParameter(f"{for_!r}, expected {_FOR_PAPER}", param_hint="--for")
    look = Look(for_paper=for_ is not None, with_paper=not without_paper)
    if look.for_paper and not everything:
        formats = formats or list(PAPER_FORMATS)
    folders = workdirs or [places.DEMO_WORKDIR]
    workdir = folders[0]
    refuse_absent(workdirs or ())
    if run is not None:
        show_sheet(run, workdir, out, formats, look)
        return
    if html:
        if len(folders) > 1:
            raise typer.BadParameter("the page is of one work folder", param_hint="--workdir")
        show_page(workdir, out)
        return
    wanted: list[tuple[str, str]] = []
    if table is not None:
        wanted.append(("tables", _table(table)))
    if figure is not None:
        name = f"figure{figure}" if figure.isdecimal() else figure
        wanted.append(("figures", name))
    whole = everything or not wanted
    if whole:
        wanted = [(kind, name) for kind in ("tables", "figures") for name in plugins.names(kind)]
    if places.DEMO_WORKDIR in folders and not is_published(places.DEMO_WORKDIR):
        note("the embedded data set is not prepared yet: preparing it")
        prepare()
    if out is None:
        check_results(workdir)
    folder = out or workdir / "reports"
    for one in folders:
        for key, fault in damaged_runs(one).items():
            note(f"left out {one / RUNS / key}: {fault}")
    for one in folders:
        _note_lacking_letters(one)
    made: list[Table | Figure | Entry] = []
    failed = []
    gaps: dict[str, list[str]] = {}
    classes = {one: not is_published(one) or has_classes(one) for one in folders}
    for kind, name in wanted:
        try:
            made.append(_build(kind, name, folders))
        except (ManifestError, plugins.PluginError) as error:
            if not whole:
                raise
            if not isinstance(error, NoRunError | plugins.PluginError):
                failed.append(name)
            gap = f"{error.message}; {error.hint}"
            if isinstance(error, NoRunError) and not any(classes.values()):
                page = f"fgbench report --html --workdir {workdir}"
                gap = f"no classes in {workdir}; runs of action units: {page}"
            gaps.setdefault(gap, []).append(name)
            made.append(Entry(name=name, title=name, files=[], n_cells=0, n_blank=0, gaps=[gap]))
    for gap, names in gaps.items():
        note(f"left out {', '.join(names)}: {gap}")
    if everything:
        made += _ranked(workdir)
    _write(made, folder, formats, look, everything=everything, printed=full or not whole, own=out is None)
    if whole:
        after_report(workdir, has_classes=classes[workdir])
    if failed:
        raise ManifestError(
            f"{len(failed)} of {len(wanted)} tables and figures could not be made: {', '.join(failed)}",
            "see the lines above; the others are written",
        )


def _note_lacking_letters(workdir: Path) -> None:
    """Print a line if figures cannot show the names of the classes."""
    from fgbench.reports.rendering.fonts import lacking_note
    from fgbench.runs.labels import read_labels
    from fgbench.workfolders.manifest_index import is_published, read_index

    if is_published(workdir) and (sentence := lacking_note(read_labels(read_index(workdir)).labels)):
        note(sentence)


def _build(kind: str, name: str, workdirs: list[Path]) -> Table | Figure:
    """Build a table or figure of a work folder, or of several if it shows several.

    Raises:
        PluginError: If it is of another package, and fails or returns something else.
    """
    from fgbench import plugins
    from fgbench.reports.rendering.table import Figure, Table

    module = plugins.load(kind, name)
    wanted = Table if kind == "tables" else Figure
    with plugins.explained(kind, name):
        made = _made(module, name, workdirs)
        if not isinstance(made, wanted):
            raise TypeError(f"it gave {type(made).__name__}, expected {wanted.__name__}")
        return made


def _made(module: ModuleType, name: str, workdirs: list[Path]) -> Table | Figure:
    if len(workdirs) == 1:
        single: Table | Figure = module.build(workdirs[0])
        return single
    if not hasattr(module, "build_of"):
        raise typer.BadParameter(
            f"{len(workdirs)} work folders, but {name} is of one", param_hint="--workdir"
        )
    several: Table | Figure = module.build_of(workdirs)
    return several


def _write(
    made: Sequence[Table | Figure | Entry],
    folder: Path,
    formats: list[str] | None,
    look: Look,
    *,
    everything: bool,
    printed: bool,
    own: bool,
) -> None:
    """Write tables and figures, print them or a line on each, and write the index of all."""
    from fgbench.naming import counted
    from fgbench.reports.index import FILES, Entry, entry_of, state, write_index
    from fgbench.reports.rendering.files import all_formats, file_names, write_item
    from fgbench.reports.rendering.render import markdown
    from fgbench.reports.rendering.table import Table
    from fgbench.workfolders.output_folders import writing_in

    def chosen(item: Table | Figure) -> list[str] | None:
        return formats or (all_formats(item) if everything else None)

    names = [name for item in made if not isinstance(item, Entry) for name in file_names(item, chosen(item))]
    entries = []
    with writing_in(folder, [*names, *(FILES if everything else ())], own=own):
        for item in made:
            if isinstance(item, Entry):
                entries.append(item)
                continue
            table = look.table(item if isinstance(item, Table) else item.table)
            paths = write_item(item, folder, chosen(item), look=look)
            entry = entry_of(table, paths)
            if printed:
                say(markdown(table))
                for path in paths:
                    note(f"wrote {path}")
            else:
                say(f"{entry.title}: {state(entry)} ({', '.join(entry.files)})")
            entries.append(entry)
        index = write_index(folder, entries) if everything else []
    if not printed:
        files = counted(sum(len(entry.files) for entry in entries), "file")
        say(f"wrote {files} into {folder}; printed with --full")
    for path in index:
        note(f"wrote {path}")


def _ranked(workdir: Path) -> list[Table]:
    """The leaderboards, if there are runs."""
    from fgbench.reports.comparison.leaderboard import leaderboard
    from fgbench.reports.experiments import NoRunError

    try:
        return list(leaderboard(workdir))
    except NoRunError:
        return []


def _table(typed: str) -> str:
    """Name of a table: ``"table1"`` for ``"I"`` or ``"1"``; others, as figures, have their own."""
    from fgbench.api.tables import ROMAN

    number = str(ROMAN.get(typed.upper(), typed))
    return f"table{number}" if number.isdecimal() else typed
