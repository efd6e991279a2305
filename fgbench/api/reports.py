"""Tables and figures of a work folder as files: those that are named, or all that there are runs for."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.arguments import names_of, path_or_none, paths_of, switch
from fgbench.api.progress import log
from fgbench.api.report_files import Report, ReportItem
from fgbench.workfolders.layout import RUNS

if TYPE_CHECKING:
    from fgbench.reports.index import Entry
    from fgbench.reports.rendering.files import Look
    from fgbench.reports.rendering.table import Figure, Table


def check_formats(formats: Sequence[str] | None, *, text_alone: bool = False) -> None:
    """Refuse what is no format.

    Args:
        formats: Names, e.g. ``"md"``.
        text_alone: Whether pictures are none.

    Raises:
        ConfigError: If one is none.
    """
    from fgbench.errors import ConfigError
    from fgbench.reports.rendering.files import FORMATS, TEXT_FORMATS

    known = tuple(TEXT_FORMATS) if text_alone else FORMATS
    for name in formats or ():
        if name not in known:
            raise ConfigError(f"unknown format {name!r}", f"known formats: {', '.join(known)}")


def report(
    workdirs: Sequence[str | os.PathLike[str]],
    *,
    table: str | None = None,
    figure: str | None = None,
    everything: bool = False,
    formats: Sequence[str] | None = None,
    out: str | os.PathLike[str] | None = None,
    for_paper: bool = False,
    with_paper: bool = True,
) -> Report:
    """Write tables and figures of the runs of a work folder.

    What cannot be made is named in the log, with the command that fills it.

    Args:
        workdirs: The work folder; several for tables that show a data set each.
        table: Number or name of a table; ``None``, and no figure: all that there are runs for.
        figure: Number or name of a figure.
        everything: Whether all are written, in all formats that suit, with an index and the leaderboard.
        formats: ``"md"``, ``"tex"``, ``"csv"``, ``"html"``, of figures also ``"png"``, ``"pdf"``, ``"svg"``;
            ``None``: Markdown, figures also PNG; for a paper LaTeX, figures also PDF.
        out: Folder; ``None``: ``reports`` in the first work folder.
        for_paper: Whether figures are as wide as a column or page of a paper, without title, and notes
            without commands.
        with_paper: Whether with the numbers of the paper that fgbench follows.

    Raises:
        ArgumentError: If several work folders are named, and the table is of one.
        ConfigError: If there is no such format, table or figure, or a file would replace one that fgbench did
            not write.
        ManifestError: If a table or figure that is named has no runs, or they are damaged.
        ResourceError: If a file cannot be written.
    """
    from fgbench.api.tables import asked_items
    from fgbench.reports.rendering.files import Look
    from fgbench.workfolders.folder import check_results
    from fgbench.workfolders.manifest_index import has_classes, is_published

    formats = names_of("formats", formats, example="formats=['md', 'pdf']")
    check_formats(formats)
    folders = paths_of("workdirs", workdirs, example="work.path")
    target = path_or_none("out", out, example="out='reports'")
    everything, with_paper = switch("everything", everything), switch("with_paper", with_paper)
    for_paper = switch("for_paper", for_paper)
    wanted = asked_items(*((None, None) if everything else (table, figure)))
    is_whole = everything or (table is None and figure is None)
    if target is None:
        check_results(folders[0])
    _log_faults(folders)
    classes = {one: not is_published(one) or has_classes(one) for one in folders}
    made, failed = _made(wanted, folders, is_whole=is_whole, has_classes=any(classes.values()))
    if everything:
        made += _ranked(folders[0])
    items, index = _written(
        made,
        target or folders[0] / "reports",
        formats_for(formats, for_paper=for_paper, everything=everything),
        Look(for_paper=for_paper, with_paper=with_paper),
        everything=everything,
        own=target is None,
    )
    return Report(
        folder=target or folders[0] / "reports",
        items=tuple(items),
        index=tuple(index),
        n_wanted=len(wanted),
        failed=tuple(failed),
        has_classes=classes[folders[0]],
    )


def formats_for(
    formats: Sequence[str] | None, *, for_paper: bool, everything: bool = False
) -> list[str] | None:
    """Return the formats that are meant; ``None`` where each item has its own."""
    from fgbench.reports.rendering.files import PAPER_FORMATS

    if formats or everything or not for_paper:
        return list(formats) if formats else None
    return list(PAPER_FORMATS)


def _log_faults(workdirs: Sequence[Path]) -> None:
    """Log which runs are damaged, and whether figures cannot show the names of the classes."""
    from fgbench.reports.experiments import damaged_runs
    from fgbench.reports.rendering.fonts import lacking_note
    from fgbench.runs.labels import read_labels
    from fgbench.workfolders.manifest_index import is_published, read_index

    for one in workdirs:
        for key, fault in damaged_runs(one).items():
            log(f"left out {one / RUNS / key}: {fault}")
    for one in workdirs:
        if is_published(one) and (sentence := lacking_note(read_labels(read_index(one)).labels)):
            log(sentence)


def _made(
    wanted: Sequence[tuple[str, str]], workdirs: Sequence[Path], *, is_whole: bool, has_classes: bool
) -> tuple[list[Table | Figure | Entry], list[str]]:
    """Return what was made, with entries for what was not; and names of what should have been."""
    from fgbench import plugins
    from fgbench.api.tables import built
    from fgbench.errors import ManifestError
    from fgbench.reports.experiments import NoRunError
    from fgbench.reports.index import Entry

    made: list[Table | Figure | Entry] = []
    failed = []
    gaps: dict[str, list[str]] = {}
    for kind, name in wanted:
        try:
            made.append(built(kind, name, workdirs))
        except (ManifestError, plugins.PluginError) as error:
            if not is_whole:
                raise
            if not isinstance(error, NoRunError | plugins.PluginError):
                failed.append(name)
            gap = f"{error.message}; {error.hint}"
            if isinstance(error, NoRunError) and not has_classes:
                page = f"fgbench report --html --workdir {workdirs[0]}"
                gap = f"no classes in {workdirs[0]}; runs of action units: {page}"
            gaps.setdefault(gap, []).append(name)
            made.append(Entry(name=name, title=name, files=[], n_cells=0, n_blank=0, gaps=[gap]))
    for gap, names in gaps.items():
        log(f"left out {', '.join(names)}: {gap}")
    return made, failed


def _written(
    made: Sequence[Table | Figure | Entry],
    folder: Path,
    formats: Sequence[str] | None,
    look: Look,
    *,
    everything: bool,
    own: bool,
) -> tuple[list[ReportItem], list[Path]]:
    """Write tables and figures, and the index of all."""
    from fgbench.reports.index import FILES, Entry, entry_of, write_index
    from fgbench.reports.rendering.files import all_formats, file_names, write_item
    from fgbench.reports.rendering.table import Table
    from fgbench.workfolders.output_folders import writing_in

    def chosen(item: Table | Figure) -> Sequence[str] | None:
        return formats or (all_formats(item) if everything else None)

    names = [name for item in made if not isinstance(item, Entry) for name in file_names(item, chosen(item))]
    items = []
    with writing_in(folder, [*names, *(FILES if everything else ())], own=own):
        for item in made:
            if isinstance(item, Entry):
                items.append(ReportItem(entry=item, table=None, paths=()))
                continue
            table = look.table(item if isinstance(item, Table) else item.table)
            paths = write_item(item, folder, chosen(item), look=look)
            items.append(ReportItem(entry=entry_of(table, paths), table=table, paths=tuple(paths)))
        index = write_index(folder, [item.entry for item in items]) if everything else []
    return items, index


def _ranked(workdir: Path) -> list[Table]:
    """The leaderboards, if there are runs."""
    from fgbench.api.tables import leaderboard
    from fgbench.reports.experiments import NoRunError

    try:
        return leaderboard(workdir)
    except NoRunError:
        return []
