"""Work folder of a command, by position or as ``--workdir``, declared in one module.

A command declares ``workdir: Workdir`` (or ``workdirs`` where several may be named); :func:`add_command` adds
the argument beside the option, and passes on whichever was typed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer

from fgbench.cli.data_folders import work_folders_here

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEMO = "./fgbench-data/demo/work"
"""The default of most commands, as help texts show it."""

_OPTION = "--workdir"
_BY_OPTION = "workdir_option"
_NAMES = ("workdir", "workdirs")


def workdir_option(help_: str, show_default: str = DEMO, *, is_made: bool = True) -> Any:
    """Declare the option ``--workdir`` of a command.

    Args:
        help_: Use of the work folder by the command.
        show_default: Default in the help.
        is_made: Whether it should exist already, so that a folder of data is refused.
    """
    callback = work_folders_here if is_made else None
    return typer.Option(_OPTION, help=help_, show_default=show_default, callback=callback)


Workdir = Annotated[Path, workdir_option("Work folder.")]


def add_command(
    app: typer.Typer, name: str, *, metavar: str | None = None, **more: Any
) -> Callable[[_Command], _Command]:
    """Add a function as a command that also takes its work folder by position; the function is unchanged.

    Args:
        app: The group of commands.
        name: Name of the command.
        metavar: Name of the argument in the help; ``None``: ``WORKDIR``.
        more: Further arguments of ``typer.Typer.command``.
    """

    def add(function: _Command) -> _Command:
        app.command(name, **more)(_with_position(function, metavar))
        return function

    return add


def one_of(by_position: Sequence[Path], by_option: Sequence[Path]) -> list[Path]:
    """Work folders that were named in one of two ways, or in both ways alike.

    Args:
        by_position: Work folders named by position.
        by_option: Work folders named with ``--workdir``.

    Raises:
        typer.BadParameter: If both name different ones.
    """
    if by_position and by_option and _resolved(by_position) != _resolved(by_option):
        raise typer.BadParameter(
            f"the work folder is {_joined(by_position)} by position and {_joined(by_option)} by {_OPTION}, "
            "expected one of both: leave one out",
            param_hint=_OPTION,
        )
    return list(by_position or by_option)


def _with_position(function: Callable[..., Any], metavar: str | None) -> Callable[..., Any]:
    """Function whose work folder is an argument beside an option; unchanged if it takes none, or other
    arguments leave no position free."""
    signature = inspect.signature(function, eval_str=True)
    name = next((name for name in _NAMES if name in signature.parameters), None)
    if name is None or not _is_free(signature):
        return function
    declared = signature.parameters[name]
    _, option = get_args(declared.annotation)
    takes_several = name == "workdirs"
    kind: Any = list[Path] | None if takes_several else Path | None
    argument = typer.Argument(
        metavar=metavar or "WORKDIR",
        help=option.help,
        show_default=option.show_default,
        callback=option.callback,
    )
    pair = [
        declared.replace(annotation=Annotated[kind, argument], default=None),
        declared.replace(name=_BY_OPTION, annotation=Annotated[kind, option], default=None),
    ]
    parameters = [
        parameter
        for each in signature.parameters.values()
        for parameter in (pair if each is declared else [each])
    ]

    @functools.wraps(function)
    def command(**given: Any) -> Any:
        named = one_of(*(_listed(given.pop(key)) for key in (name, _BY_OPTION)))
        if named:
            given[name] = named if takes_several else named[0]
        return function(**given)

    command.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    return command


def _is_free(signature: inspect.Signature) -> bool:
    """Whether a folder after the arguments of a command can only be its work folder."""
    arguments = [
        parameter
        for parameter in signature.parameters.values()
        if get_origin(parameter.annotation) is Annotated
        and isinstance(parameter.annotation.__metadata__[0], typer.models.ArgumentInfo)
    ]
    are_needed = all(parameter.default is parameter.empty for parameter in arguments)
    return are_needed and not any(
        get_origin(get_args(parameter.annotation)[0]) is list for parameter in arguments
    )


def _listed(named: Path | Sequence[Path] | None) -> list[Path]:
    if named is None:
        return []
    return [named] if isinstance(named, Path) else list(named)


def _resolved(folders: Sequence[Path]) -> list[Path]:
    return [folder.resolve() for folder in folders]


def _joined(folders: Sequence[Path]) -> str:
    return " ".join(map(str, folders))
