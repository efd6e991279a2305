"""Commands that come next, after work that is done: for hints at its end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from shlex import quote

from fgbench.workfolders.default_folders import DEMO_WORKDIR
from fgbench.workfolders.layout import MANIFESTS, RUNS

_NETWORK = "msau-small"


def after_prepare(workdir: Path, *, has_classes: bool | None = None) -> list[str]:
    """Next after preparation: the audit, a first baseline or detector of action units, agreement of votes.

    Args:
        workdir: Work folder.
        has_classes: Whether there are classes; ``None``: as its manifests say.
    """
    commands = [f"fgbench audit{_argument(workdir)}", *after_audit(workdir, has_classes=has_classes)]
    if (workdir / MANIFESTS / "votes.parquet").is_file():
        commands.append(f"fgbench report --votes{_option(workdir)}")
    return commands


def after_clips(
    root: str | os.PathLike[str], recipe: str | None = None, changes: Sequence[str] | None = None
) -> list[str]:
    """Next after clips, votes or selected frames are there: preparation.

    Args:
        root: Root of the data set.
        recipe: Recipe whose classes they have.
        changes: Settings of it that are changed, each as ``section.field=value``.
    """
    named = "" if recipe is None else f" {quote(recipe)}"
    changed = "".join(f" --set {quote(one)}" for one in changes or ())
    return [f"fgbench prepare{named} --data-root {_quoted(Path(root))}{changed}"]


def after_answers(
    root: Path, rounds: Sequence[int], folder: Path | None, recipe: str | None, changes: Sequence[str] | None
) -> list[str]:
    """Next after votes of rounds: preparation, by the recipe of the latest round where none is named.

    Args:
        root: Root of the data set.
        rounds: Numbers of the rounds.
        folder: Folder of a round outside the data set.
        recipe: Recipe whose classes they have.
        changes: Settings of it that are changed.
    """
    from fgbench.annotation.project_file import read_project, round_folder

    if recipe is None and not changes:
        of_round = folder or (round_folder(root, max(rounds)) if rounds else None)
        project = None if of_round is None else read_project(of_round)
        if project is not None:
            recipe, changes = project.recipe, project.changes
    return after_clips(root, recipe, changes)


def after_export(root: Path, number: int, folder: Path | None) -> list[str]:
    """Next after a round was exported: to a server, or the answers that came another way.

    Args:
        root: Root of the data set.
        number: Number of the round.
        folder: Folder of a round outside the data set.
    """
    which = f" --data-root {_quoted(root)}" + _round(number, folder)
    push = f"fgbench annotate push{which} --url http://localhost:8080 --token-file token.txt"
    return [push, f"fgbench annotate import FILE...{which}"]


def after_push(
    root: Path, url: str, number: int | None, folder: Path | None, token_file: Path | None
) -> list[str]:
    """Next after a push, when people have voted: to fetch what they answered; arguments as of the push."""
    token = "" if token_file is None else f" --token-file {_quoted(token_file)}"
    which = f" --data-root {_quoted(root)}" + _round(number, folder)
    return [f"fgbench annotate pull{which} --url {quote(url)}{token}"]


def after_frames(workdir: Path) -> list[str]:
    """Next after the pages on which frames are selected: the table that they save."""
    return [f"fgbench annotate frames{_option(workdir)} --import selection.csv"]


def after_frame_tasks(root: Path | None, folder: Path) -> list[str]:
    """Next after tasks of frames: to send them to a server."""
    of_data = "" if root is None else f" --data-root {_quoted(root)}"
    return [
        f"fgbench annotate push{of_data} --project {_quoted(folder)} --url http://localhost:8080 "
        "--token-file token.txt"
    ]


def after_status(workdir: Path, *, has_classes: bool | None = None) -> list[str]:
    """The report if there are runs, else the next commands after preparation."""
    if any((workdir / RUNS).glob("*/*/*/*result.json")):
        return [f"fgbench report{_option(workdir)}"]
    return after_prepare(workdir, has_classes=has_classes)


def after_audit(workdir: Path, *, has_classes: bool | None = None) -> list[str]:
    """Next after an audit without leaks: a first baseline or detector of action units."""
    first = "baseline lbp-svm" if _has_classes(workdir, has_classes) else "train au"
    return [f"fgbench {first}{_option(workdir)}"]


def after_units(run: Path, *, has_classes: bool | None = None) -> list[str]:
    """Next after a detector of action units: the network of the classes, if there are some, or files.

    Args:
        run: Folder of the run.
        has_classes: Whether its work folder has classes; ``None``: as its manifests say.
    """
    work = run.parents[3]
    use = f"fgbench predict {_quoted(run)} FILE..."
    if _has_classes(work, has_classes):
        use = f"fgbench train msau --au-weights {_quoted(run)}{_option(work)}"
    return [use, f"fgbench report --html{_option(work)}"]


def after_runs(workdir: Path) -> list[str]:
    """The first network if there is none, and the report."""
    commands = []
    if not any(path.name.startswith("msau") for path in (workdir / RUNS).iterdir()):
        trunk = "" if _has_units(workdir) else " --trunk none"
        commands.append(f"fgbench train msau --recipe {_NETWORK}{trunk}{_option(workdir)}")
    return [*commands, f"fgbench report{_option(workdir)}"]


def after_report(workdir: Path, *, has_classes: bool) -> list[str]:
    """The page, and the leaderboard of runs of classes."""
    commands = [f"fgbench report --html{_option(workdir)}"]
    return [*commands, f"fgbench leaderboard{_option(workdir)}"] if has_classes else commands


def sheet_command(workdir: Path, run: str) -> str:
    """Command that shows the sheet of one run."""
    return f"fgbench report --run {_quoted(Path(run))}{_option(workdir)}"


def _has_classes(workdir: Path, known: bool | None) -> bool:
    from fgbench.workfolders.manifest_index import has_classes

    return has_classes(workdir) if known is None else known


def _has_units(workdir: Path) -> bool:
    """Whether the data set has labels of action units."""
    from fgbench.catalogue.carried_listing import adapter_of
    from fgbench.errors import FgbenchError
    from fgbench.preparation.prepare import saved

    try:
        config, root = saved(workdir)
        adapter = adapter_of(config.dataset, root)
        return hasattr(adapter, "action_units") and next(iter(adapter.action_units(root)), None) is not None
    except FgbenchError:
        return False


def _round(number: int | None, folder: Path | None) -> str:
    """Options that name a round: its folder where it has one outside the data set."""
    if folder is not None:
        return f" --project {_quoted(folder)}"
    return "" if number is None else f" --round {number}"


def _argument(workdir: Path) -> str:
    return "" if workdir == DEMO_WORKDIR else f" {_named(workdir)}"


def _option(workdir: Path) -> str:
    return "" if workdir == DEMO_WORKDIR else f" --workdir {_named(workdir)}"


def _named(workdir: Path) -> str:
    from fgbench.remote.copy_folders import named_by

    return quote(named_by(workdir))


def _quoted(path: Path) -> str:
    return quote(str(path))
