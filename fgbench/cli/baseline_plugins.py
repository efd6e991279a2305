"""``fgbench baseline <name>`` for every baseline without options of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from fgbench.api.method_list import Method, other_methods, own_methods
from fgbench.cli.options import BaselineOptions, run_command
from fgbench.cli.runs import trained
from fgbench.cli.show_runs import show_runs

if TYPE_CHECKING:
    from collections.abc import Callable


class Baselines(TyperGroup):
    """Baselines of fgbench and of other packages, which are looked for only when one may be meant."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all baselines."""
        return [*super().list_commands(ctx), *_commands_of_others()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a baseline."""
        own = super().get_command(ctx, cmd_name)
        return own if own is not None else _commands_of_others().get(cmd_name)


def _commands_of_others() -> dict[str, Any]:
    """Name to command of the baselines of other packages, without importing any."""
    methods = other_methods()
    if not methods:
        return {}
    # An app of its own: that of the group keeps to fgbench's. With a callback it is a group even of one.
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    for method in methods:
        _add(app, method)
    return dict(typer.main.get_group(app).commands)


def add_commands(app: typer.Typer) -> None:
    """Add a command for each baseline of fgbench that has none yet."""
    there = {command.name for command in app.registered_commands}
    for method in own_methods():
        if method.name not in there:
            _add(app, method)


def _add(app: typer.Typer, method: Method) -> None:
    """Add the command of a baseline; if it is not valid Python, it fails only when it is run."""
    absent = () if method.on_device else ("device", "resume")
    run_command(app, method.name, summary=method.summary, without=absent)(_command(method.name))


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
    from fgbench.api import baselines

    baseline = baselines.baseline(
        name, run.workdir, recipe=run.recipe, changes=run.changes or (), device=run.device
    )
    show_runs(trained(baseline, run), full=run.full, json=run.json)
