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
    """What manifests are for: the audit, and a first baseline.

    Args:
        workdir: Work folder.
        has_classes: Whether there are classes to tell apart.
    """
    commands = [f"fgbench audit{_argument(workdir)}"]
    if has_classes:
        commands.append(f"fgbench baseline lbp-svm{_option(workdir)}")
    _tell(("prepare",), commands)


def after_audit(workdir: Path) -> None:
    """What comes where no leak is in the way."""
    _tell(("audit",), [f"fgbench baseline lbp-svm{_option(workdir)}"])


def after_runs(workdir: Path) -> None:
    """The first network where there is none, and the report."""
    commands = []
    runs = workdir / "runs"
    if not any(path.name.startswith("msau") for path in runs.iterdir()):
        trunk = "" if _has_units(workdir) else " --trunk none"
        commands.append(f"fgbench train msau --recipe {_NETWORK}{trunk}{_option(workdir)}")
    commands.append(f"fgbench report{_option(workdir)}")
    _tell(("baseline", "train"), commands)


def after_report(workdir: Path) -> None:
    """The page, and the list of runs."""
    _tell(("report",), [f"fgbench report --html{_option(workdir)}", f"fgbench leaderboard{_option(workdir)}"])


def _tell(typed: Sequence[str], commands: Sequence[str]) -> None:
    """Print what comes next, if it is one of these that was typed."""
    if _typed.get() in typed:
        say(f"next: {'; '.join(commands)}")


def _has_units(workdir: Path) -> bool:
    """Whether the data set brings labels of action units."""
    from fgbench import plugins
    from fgbench.errors import FgbenchError
    from fgbench.prepare import saved

    try:
        config, root = saved(workdir)
        adapter = plugins.load("datasets", config.dataset.adapter)
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
