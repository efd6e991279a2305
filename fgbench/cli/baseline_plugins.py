"""``fgbench baseline <name>`` for every baseline without options of its own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from fgbench import plugins
from fgbench.cli.options import BaselineOptions, run_command
from fgbench.cli.runs import begun
from fgbench.cli.show_runs import show_runs

if TYPE_CHECKING:
    from collections.abc import Callable

    import typer

KIND = "methods"


def add_commands(app: typer.Typer) -> None:
    """Add a command for each baseline that has none yet."""
    there = {command.name for command in app.registered_commands}
    for name in plugins.names(KIND):
        typed = name.replace("_", "-")
        if typed not in there:
            found = _sketch(name)
            absent = () if "DEVICE" in found.names else ("device", "resume")
            run_command(app, typed, summary=_help(found.summary), without=absent)(_command(typed))


def _sketch(name: str) -> plugins.Sketch:
    """What a baseline's file tells; one that is not Python fails when it is run, not before."""
    try:
        return plugins.sketch(KIND, name)
    except (SyntaxError, ValueError) as error:
        return plugins.Sketch(summary=f"Cannot be read: {error}", names=frozenset())


def _help(summary: str) -> str:
    """The first line of a docstring as help: without the name of the baseline before it."""
    rest = re.sub(r"^[^:]*``: ", "", summary)
    return rest[:1].upper() + rest[1:]


def _command(name: str) -> Callable[..., None]:
    def command(*, run: BaselineOptions) -> None:
        run_plugin(name, run)

    return command


def run_plugin(name: str, run: BaselineOptions) -> None:
    """Run a baseline, as its command does, and print its scores.

    Raises:
        ConfigError: If there is no such baseline, or its recipe or folds are not valid.
        FgbenchError: As the baseline raises.
    """
    from fgbench.methods.steps.baselines import read_baseline, run_baseline

    baseline = read_baseline(name, run.recipe)
    with begun(run, on_device=baseline.is_network) as how:
        folders = run_baseline(baseline, run.workdir, **how)
    show_runs(folders, full=run.full, json=run.json)
