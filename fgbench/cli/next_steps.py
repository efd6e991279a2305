"""The next command, printed at the end of a command that the user typed, not of one called by another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from fgbench.cli.console import say
from fgbench.cli.verbosity import is_quiet
from fgbench.workfolders import default_folders
from fgbench.workfolders.layout import RUNS

_NETWORK = "msau-small"

_typed: ContextVar[str | None] = ContextVar("typed", default=None)
"""Name of the typed command; ``None`` for functions that are called directly."""


@contextmanager
def nothing_typed() -> Iterator[None]:
    """Reset at the end which command was typed."""
    token = _typed.set(None)
    try:
        yield
    finally:
        _typed.reset(token)


def remember(name: str | None) -> None:
    """Store which command the user has typed."""
    _typed.set(name)


def after_prepare(workdir: Path, *, has_classes: bool) -> None:
    """Next after preparation: the audit, and a first baseline or detector of action units.

    Args:
        workdir: Work folder.
        has_classes: Whether there are classes.
    """
    _show(("prepare",), [f"fgbench audit{_argument(workdir)}", _first_run(workdir, has_classes=has_classes)])


def after_synth(root: Path) -> None:
    """Next after drawing: preparation as of any other clips.

    Args:
        root: Folder of the data set.
    """
    _show(("synth",), [f"fgbench prepare --data-root {_quoted(root)}"])


def after_status(workdir: Path, *, has_classes: bool) -> None:
    """The report if there are runs, else the next steps after preparation."""
    if any((workdir / RUNS).glob("*/*/*/*result.json")):
        _show(("status",), [f"fgbench report{_option(workdir)}"])
    else:
        audit = f"fgbench audit{_argument(workdir)}"
        _show(("status",), [audit, _first_run(workdir, has_classes=has_classes)])


def after_audit(workdir: Path, *, has_classes: bool) -> None:
    """Next after an audit without leaks."""
    _show(("audit",), [_first_run(workdir, has_classes=has_classes)])


def after_units(run: Path, *, has_classes: bool) -> None:
    """Next after a detector of action units: the network of the classes, if there are some, or files.

    Args:
        run: Folder of the run.
        has_classes: Whether its work folder has classes.
    """
    work = run.parents[3]
    use = f"fgbench predict {_quoted(run)} FILE..."
    if has_classes:
        use = f"fgbench train msau --au-weights {_quoted(run)}{_option(work)}"
    _show(("train",), [use, f"fgbench report --html{_option(work)}"])


def after_runs(workdir: Path) -> None:
    """The first network if there is none, and the report."""
    commands = []
    runs = workdir / RUNS
    if not any(path.name.startswith("msau") for path in runs.iterdir()):
        trunk = "" if _has_units(workdir) else " --trunk none"
        commands.append(f"fgbench train msau --recipe {_NETWORK}{trunk}{_option(workdir)}")
    commands.append(f"fgbench report{_option(workdir)}")
    _show(("baseline", "train"), commands)


def after_report(workdir: Path, *, has_classes: bool) -> None:
    """The page, and the leaderboard of runs of classes."""
    commands = [f"fgbench report --html{_option(workdir)}"]
    if has_classes:
        commands.append(f"fgbench leaderboard{_option(workdir)}")
    _show(("report",), commands)


def sheet_command(workdir: Path, run: str) -> str:
    """Command that shows the sheet of one run."""
    return f"fgbench report --run {_quoted(Path(run))}{_option(workdir)}"


def _first_run(workdir: Path, *, has_classes: bool) -> str:
    return f"fgbench {'baseline lbp-svm' if has_classes else 'train au'}{_option(workdir)}"


def _show(typed: Sequence[str], commands: Sequence[str]) -> None:
    """Print the next commands, if the typed command is one of these."""
    if _typed.get() in typed and not is_quiet():
        say(f"next: {'; '.join(commands)}")


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


def _argument(workdir: Path) -> str:
    return "" if workdir == default_folders.DEMO_WORKDIR else f" {_quoted(workdir)}"


def _option(workdir: Path) -> str:
    return "" if workdir == default_folders.DEMO_WORKDIR else f" --workdir {_quoted(workdir)}"


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
