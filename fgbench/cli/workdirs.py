"""The work folder that a command takes: by its position or as ``--workdir``, declared in one place.

A command says ``workdir: Workdir`` (or ``workdirs`` where several may be named); :func:`add_command` gives it
the argument beside the option, and hands on whichever was typed.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin

import typer

from fgbench.cli.data_folders import refuse_data

_Command = TypeVar("_Command", bound=Callable[..., Any])

DEMO = "./fgbench-data/demo/work"
"""How help texts call the default of most commands, :data:`fgbench.cli.places.DEMO_WORKDIR`."""

_OPTION = "--workdir"
_BY_OPTION = "workdir_option"
_NAMES = ("workdir", "workdirs")


def workdir_option(help_: str, show_default: str = DEMO, *, is_made: bool = True) -> Any:
    """The option ``--workdir`` of a command.

    Args:
        help_: What the command does with the work folder.
        show_default: What is taken where none is named, for the help.
        is_made: Whether it is there already, so that a folder of data is refused.
    """
    callback = refuse_data if is_made else None
    return typer.Option(_OPTION, help=help_, show_default=show_default, callback=callback)


Workdir = Annotated[Path, workdir_option("Work folder.")]


def add_command(
    app: typer.Typer, name: str, *, metavar: str | None = None, **more: Any
) -> Callable[[_Command], _Command]:
    """Add a function as a command that also takes its work folder by position; the function stays as it is.

    Args:
        app: The group of commands.
        name: What is typed.
        metavar: How the help calls the argument; ``None``: ``WORKDIR``.
        more: For ``typer.Typer.command``.
    """

    def add(function: _Command) -> _Command:
        app.command(name, **more)(_with_position(function, metavar))
        return function

    return add


def one_of(by_position: Sequence[Path], by_option: Sequence[Path]) -> list[Path]:
    """The work folders that were named in one of two ways, or in both ways alike.

    Args:
        by_position: Those that were named by their position.
        by_option: Those that were named with ``--workdir``.

    Raises:
        typer.BadParameter: If both were, and other ones.
    """
    if by_position and by_option and _places(by_position) != _places(by_option):
        raise typer.BadParameter(
            f"the work folder is {_told(by_position)} by position and {_told(by_option)} by {_OPTION}, "
            "expected one of both: leave one out",
            param_hint=_OPTION,
        )
    return list(by_position or by_option)


def _with_position(function: Callable[..., Any], metavar: str | None) -> Callable[..., Any]:
    """A function whose work folder is an argument beside an option; itself where it takes none, or where
    other arguments leave no position free."""
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
    """Whether a folder after the arguments of a command can be nothing but its work folder."""
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


def _listed(found: Path | Sequence[Path] | None) -> list[Path]:
    if found is None:
        return []
    return [found] if isinstance(found, Path) else list(found)


def _places(folders: Sequence[Path]) -> list[Path]:
    return [folder.resolve() for folder in folders]


def _told(folders: Sequence[Path]) -> str:
    return " ".join(map(str, folders))
