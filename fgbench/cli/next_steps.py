"""The command that comes next, told at the end of the one before; nothing where it runs inside another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from fgbench.cli import places
from fgbench.cli.console import say

_NETWORK = "msau-small"

_typed: ContextVar[str | None] = ContextVar("typed", default=None)
"""Name of the command that runs; functions that are called directly have none."""


@contextmanager
def nothing_typed() -> Iterator[None]:
    """Forget at the end what was typed."""
    token = _typed.set(None)
    try:
        yield
    finally:
        _typed.reset(token)


def remember(name: str | None) -> None:
    """Keep which command the user has typed."""
    _typed.set(name)


def after_prepare(workdir: Path, *, has_classes: bool) -> None:
    """What manifests are for: the audit, and a first baseline or detector of action units.

    Args:
        workdir: Work folder.
        has_classes: Whether there are classes to tell apart.
    """
    _tell(("prepare",), [f"fgbench audit{_argument(workdir)}", _first_run(workdir, has_classes=has_classes)])


def after_synth(root: Path) -> None:
    """What drawn clips are for: to be prepared like any others.

    Args:
        root: Folder of the data set.
    """
    _tell(("synth",), [f"fgbench prepare --data-root {_quoted(root)}"])


def after_status(workdir: Path, *, has_classes: bool) -> None:
    """The report where there are runs, else what comes after the manifests."""
    if any((workdir / "runs").glob("*/*/*/*result.json")):
        _tell(("status",), [f"fgbench report{_option(workdir)}"])
    else:
        audit = f"fgbench audit{_argument(workdir)}"
        _tell(("status",), [audit, _first_run(workdir, has_classes=has_classes)])


def after_audit(workdir: Path, *, has_classes: bool) -> None:
    """What comes where no leak is in the way."""
    _tell(("audit",), [_first_run(workdir, has_classes=has_classes)])


def after_units(run: Path, *, has_classes: bool) -> None:
    """What a detector of action units is for: the network of the classes, if there are some, or files.

    Args:
        run: Folder of the run.
        has_classes: Whether its work folder has classes to tell apart.
    """
    work = run.parents[3]
    use = f"fgbench predict {_quoted(run)} FILE..."
    if has_classes:
        use = f"fgbench train msau --au-weights {_quoted(run)}{_option(work)}"
    _tell(("train",), [use, f"fgbench report --html{_option(work)}"])


def after_runs(workdir: Path) -> None:
    """The first network where there is none, and the report."""
    commands = []
    runs = workdir / "runs"
    if not any(path.name.startswith("msau") for path in runs.iterdir()):
        trunk = "" if _has_units(workdir) else " --trunk none"
        commands.append(f"fgbench train msau --recipe {_NETWORK}{trunk}{_option(workdir)}")
    commands.append(f"fgbench report{_option(workdir)}")
    _tell(("baseline", "train"), commands)


def after_report(workdir: Path, *, has_classes: bool) -> None:
    """The page, and the list of runs of classes."""
    commands = [f"fgbench report --html{_option(workdir)}"]
    if has_classes:
        commands.append(f"fgbench leaderboard{_option(workdir)}")
    _tell(("report",), commands)


def sheet_command(workdir: Path, run: str) -> str:
    """The command that shows one run for a reviewer."""
    return f"fgbench report --run {_quoted(Path(run))}{_option(workdir)}"


def _first_run(workdir: Path, *, has_classes: bool) -> str:
    return f"fgbench {'baseline lbp-svm' if has_classes else 'train au'}{_option(workdir)}"


def _tell(typed: Sequence[str], commands: Sequence[str]) -> None:
    """Print what comes next, if it is one of these that was typed."""
    if _typed.get() in typed:
        say(f"next: {'; '.join(commands)}")


def _has_units(workdir: Path) -> bool:
    """Whether the data set brings labels of action units."""
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
    return "" if workdir == places.DEMO_WORKDIR else f" {_quoted(workdir)}"


def _option(workdir: Path) -> str:
    return "" if workdir == places.DEMO_WORKDIR else f" --workdir {_quoted(workdir)}"


def _quoted(path: Path) -> str:
    from shlex import quote

    return quote(str(path))
