"""Files of the report on votes: its tables and its figure, ``votes-<part>.<format>``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fgbench.reports.rendering.files import Look, file_names, write_item
from fgbench.reports.rendering.table import Figure, Table
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import read_votes
from fgbench.reports.votes.heat_map import agreement_figure
from fgbench.reports.votes.pair import pair_tables
from fgbench.reports.votes.tables import vote_tables
from fgbench.workfolders.output_folders import writing_in


def write_votes(
    workdir: Path,
    folder: Path,
    formats: Sequence[str] | None,
    *,
    look: Look,
    own: bool,
    pair: tuple[str, str] | None = None,
) -> tuple[list[Table], list[Path]]:
    """Write the tables and the figure on the votes of a work folder, or those on two annotators.

    Args:
        workdir: Work folder.
        folder: Folder of the files; created if missing.
        formats: Some of :data:`fgbench.reports.rendering.files.FORMATS`; ``None``: Markdown and PNG.
        look: Style.
        own: Whether the folder is known to be fgbench's own, see
            :func:`fgbench.workfolders.output_folders.writing_in`.
        pair: Two annotators; ``None``: all.

    Returns:
        The tables, and all files.

    Raises:
        ArgumentError: If one of a pair has no votes.
        ConfigError: If a file exists that fgbench did not write; nothing is then written.
        NoVotesError: If there are no votes.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    cast = read_votes(workdir)
    items: list[Table | Figure]
    if pair is None:
        figures = vote_figures(cast)
        tables = vote_tables(cast, figures)
        items = [*tables, agreement_figure(cast, figures)]
    else:
        tables = pair_tables(cast, *pair)
        items = [*tables]
    names = [name for item in items for name in file_names(item, formats)]
    with writing_in(folder, names, own=own):
        paths = [path for item in items for path in write_item(item, folder, formats, look=look)]
    return [look.table(table) for table in tables], paths
