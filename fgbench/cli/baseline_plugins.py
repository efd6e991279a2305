"""``fgbench baseline <name>`` for every baseline that is a plugin, with the options that it declares."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import Parameter, Signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fgbench.api.method_list import Method, other_methods, own_methods
from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import wrong_use
from fgbench.cli.options import BaselineOptions, RunOptions, run_command
from fgbench.cli.runs import run_and_show

if TYPE_CHECKING:
    from collections.abc import Callable


_FLAGS = ("flag", "switch")
"""Kinds of options without a value."""


class Baselines(CommandList):
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
    absent = () if method.on_device else ("device", "trackers", "resume")
    run_command(app, method.name, summary=method.summary, without=absent)(_command(method))


def _command(method: Method) -> Callable[..., None]:
    """Function behind the command of a baseline, with a parameter for each of its own options."""

    def command(*, run: RunOptions, **own: Any) -> None:
        run_plugin(method.name, run, own)

    types = {option: _option(option, *declared) for option, declared in method.options.items()}
    types["run"] = RunOptions if method.has_small else BaselineOptions
    defaults = {option: False if kind in _FLAGS else None for option, (kind, _) in method.options.items()}
    parameters = [
        Parameter(
            one, Parameter.KEYWORD_ONLY, default=defaults.get(one, Parameter.empty), annotation=types[one]
        )
        for one in types
    ]
    command.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = types
    return command


def _option(name: str, kind: str, text: str) -> Any:
    option = typer.Option(f"--{name.replace('_', '-')}", help=text)
    if kind in _FLAGS:
        return Annotated[bool, option]
    values: dict[str, Any] = {"name": str | None, "names": list[str] | None}
    return Annotated[values.get(kind, Path | None), option]


def run_plugin(name: str, run: RunOptions, options: Mapping[str, Any] | None = None) -> None:
    """Run a baseline, as its command does, and print its scores.

    Args:
        name: Its name in commands.
        run: The options of all runs.
        options: Values of the options of its own.

    Raises:
        BadParameter: If its own options do not go together.
        ConfigError: If there is no such baseline, or its recipe or folds are not valid.
        FgbenchError: As the baseline raises.
    """
    from fgbench.api import baselines

    with wrong_use():
        baseline = baselines.baseline(
            name,
            run.workdir,
            recipe=run.recipe,
            changes=run.changes or (),
            options=options,
            device=run.device,
        )
    run_and_show(baseline, run)
