"""``fgbench audit``: data that training, validation and test parts share and should not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fgbench.cli.console import note, print_json, progress_bars, say
from fgbench.cli.next_steps import after_audit
from fgbench.cli.options import DEFAULT_JOBS, Json
from fgbench.cli.workdirs import Workdir
from fgbench.workfolders import default_folders

if TYPE_CHECKING:
    from fgbench.audit.leaks import Audit


def audit(
    workdir: Workdir = default_folders.DEMO_WORKDIR,
    against: Annotated[
        Path | None,
        typer.Option(
            "--against",
            help="Another work folder: compare what WORKDIR trains and chooses on (e.g. in a "
            "pretraining) with what this one is tested on.",
        ),
    ] = None,
    pictures: Annotated[
        int, typer.Option("--pictures", min=0, help="Pairs of which the page shows pictures.")
    ] = 60,
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", min=1, help="Threads.", show_default="number of cores")
    ] = DEFAULT_JOBS,
    json: Json = False,
) -> None:
    """Look for leaks between the parts of a work folder.

    Looked for are clips, subjects, sources, equal files, equal pictures and nearly equal faces in two parts,
    and augmented copies away from their originals. What the recipe does not keep apart (e.g. subjects, when
    it divides by clip) is told, but is no leak. Writes audit/audit.html and audit/audit.json in the work
    folder.

    The exit code is 0 if there is no leak and 11 if there is one.
    """
    from fgbench.audit.leaks import audit_against, audit_parts
    from fgbench.errors import LeakError
    from fgbench.preparation.engines.local import limit_threads
    from fgbench.reports.audit_page import write_report
    from fgbench.workfolders.folder import check_results

    check_results(workdir)
    limit_threads()
    with progress_bars(quiet=json) as progress:
        if against is None:
            result = audit_parts(workdir, jobs=jobs, progress=progress)
        else:
            result = audit_against(workdir, against, jobs=jobs, progress=progress)
    _, page = write_report(result, shown=pictures)
    if json:
        print_json(result.to_json())
    else:
        _show(result)
        note(f"report in {page}")
    n_leaks = len(result.disallowed)
    if not n_leaks and not json and against is None:
        from fgbench.workfolders.manifest_index import has_classes

        after_audit(workdir, has_classes=has_classes(workdir))
    if n_leaks:
        raise LeakError(
            f"{n_leaks} {'leak' if n_leaks == 1 else 'leaks'} in {workdir}"
            + ("" if against is None else f" against {against}"),
            f"see {page}; {_remedy(result)}",
        )


def _remedy(result: Audit) -> str:
    if result.against is not None:
        return "results on that test part are not to be trusted"
    if result.folder.folds:
        return (
            "keep such clips in one fold (a fold file for training); or fgbench prepare --drop-leaks keeps "
            "the first of them alone"
        )
    return "fgbench prepare --drop-leaks takes such clips out of training and validation"


def _show(result: Audit) -> None:
    from fgbench.audit.leak import KINDS
    from fgbench.naming import counted
    from fgbench.reports.audit_page import NO_LOOKS, comparisons

    if result.folder.synthetic:
        say(f"{result.folder.dataset} is synthetic: drawn faces")
    is_folded = result.folder.folds > 0 and result.against is None
    if is_folded:
        sizes = {pair.first: (pair.clips[0], pair.pictures[0]) for pair in result.compared}
        sizes |= {pair.second: (pair.clips[1], pair.pictures[1]) for pair in result.compared}
        n_clips, n_pictures = (sum(size[index] for size in sizes.values()) for index in (0, 1))
        say(f"{len(sizes)} folds, each compared with the others: {n_clips:,} clips, {n_pictures:,} pictures")
    for pair in () if is_folded else result.compared:
        say(
            f"{pair.first} / {pair.second}: {pair.clips[0]} / {pair.clips[1]} clips, "
            f"{pair.pictures[0]} / {pair.pictures[1]} pictures"
        )
    names = {str(kind): text for kind, text in KINDS.items()}
    rows = [
        (names[kind], f"{one}, {other}" if other else one, str(leaks), str(allowed))
        for kind, one, other, leaks, allowed in result.counts()
    ]
    if rows:
        heads = ("found", "parts", "leaks", "allowed")
        widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(4)]
        for row in (heads, *rows):
            left = "  ".join(cell.ljust(width) for cell, width in zip(row[:2], widths[:2], strict=True))
            right = "  ".join(cell.rjust(width) for cell, width in zip(row[2:], widths[2:], strict=True))
            say(f"{left}  {right}")
    if result.groups:
        say(
            f"{sum(group.n_clips for group in result.groups)} clips show the same as others in another part, "
            f"in {counted(len(result.groups), 'group')}; the largest has {result.groups[0].n_clips}"
        )
    if result.unreadable:
        lost = counted(len(result.unreadable), "picture")
        say(f"{lost} cannot be decoded, and {'was' if len(result.unreadable) == 1 else 'were'} not compared")
    if not result.n_comparisons:
        say("nothing was compared: no two parts have clips, so that nothing is said of leaks")
    elif not result.disallowed:
        say(f"no leak was found in {comparisons(result)}")
    if result.n_comparisons and not result.n_looks:
        say(NO_LOOKS)
