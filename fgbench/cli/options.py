"""Options of several commands, and those of the commands that make runs, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from fgbench.cli import completion
from fgbench.cli.workdirs import Workdir, add_command, workdir_option
from fgbench.workfolders import default_folders

NamedIn = Annotated[Path, workdir_option("Work folder in which the name of an experiment is looked up.")]
Jobs = Annotated[
    int | None, typer.Option("--jobs", "-j", min=1, help="Worker processes.", show_default="number of cores")
]
Force = Annotated[
    bool, typer.Option("--force", help="Compute anew, and replace a result that is there already.")
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device",
        help="cpu, cpu:8 (threads), cuda, cuda:1, mps.",
        show_default="cuda if there is one, else cpu",
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON on standard output.")]
Full = Annotated[
    bool, typer.Option("--full", help="Print the tables: every class, fold and seed, and confusions.")
]


DEFAULT_JOBS: int | None = None
"""One worker per core of the machine, which the library counts."""


Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="section.field=value",
        help="Change a setting of the recipe, e.g. optimiser.epochs=3; once for each.",
        show_default="none",
    ),
]


def _recipe(default: str) -> Any:
    return typer.Option(
        "--recipe",
        help="Packed recipe or .yaml file.",
        show_default=default,
        autocompletion=completion.recipe,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """Options of runs; their help describes each."""

    workdir: Workdir = default_folders.DEMO_WORKDIR
    recipe: Annotated[
        str | None,
        _recipe("the paper's; where the CPU computes, and on the embedded data set, the small one"),
    ] = None
    changes: Changes = None
    fold: Annotated[
        str | None,
        typer.Option(
            "--fold", help="Run one fold of the data set's protocol.", show_default="all, one by one"
        ),
    ] = None
    fold_file: Annotated[
        Path | None,
        typer.Option(
            "--fold-file",
            help="CSV of ids and folds, kept in the work folder from then on.",
            show_default="the work folder's, else dealt from the ids",
        ),
    ] = None
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the run.")] = 0
    seeds: Annotated[
        int,
        typer.Option(
            "--seeds",
            min=1,
            max=100,
            help="Run so many seeds, from --seed on, each with networks of its own all through, but for "
            "weights that are named.",
        ),
    ] = 1
    device: Device = None
    trackers: Annotated[
        list[str] | None,
        typer.Option(
            "--tracker",
            help="Report the training to mlflow, wandb or trackio, too; once for each. The curves for "
            "tensorboard are there in any case.",
            show_default="none",
        ),
    ] = None
    jobs: Jobs = DEFAULT_JOBS
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Continue an unfinished run, or start it anew.")
    ] = True
    force: Force = False
    full: Full = False
    json: Json = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineOptions(RunOptions):
    """As :class:`RunOptions`, for a baseline whose recipe is the same on every machine."""

    recipe: Annotated[str | None, _recipe("the baseline's own")] = None


def run_command(
    app: typer.Typer, name: str, *, summary: str | None = None, without: Collection[str] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function a command with the options of runs beside its own.

    Args:
        app: Group of commands.
        name: Name of the command.
        summary: Its help; ``None``: the function's docstring.
        without: Names of options, shared or its own, that the command lacks.

    Returns:
        A decorator that returns the function unchanged. All its arguments are keywords; one, ``run``, is
        :class:`RunOptions` or derived from it. Its options replace ``run`` in the help: those before it
        follow ``--workdir``, those after it ``--recipe``.
    """

    def add(function: Callable[..., None]) -> Callable[..., None]:
        own = signature(function).parameters
        types = get_type_hints(function, include_extras=True)
        shared = _parameters(types["run"])
        at = list(own).index("run")
        mine = [one.replace(annotation=types[one.name]) for one in own.values()]
        ordered = [*shared[:1], *mine[:at], *shared[1:2], *mine[at + 1 :], *shared[2:]]
        shown = [one for one in ordered if one.name not in without]

        @wraps(function)
        def command(**given: Any) -> None:
            run = types["run"](**{one.name: given.pop(one.name) for one in shared if one.name in given})
            function(run=run, **given)

        command.__signature__ = Signature(shown)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in shown}
        add_command(app, name, help=summary)(command)
        return function

    return add


def _parameters(kind: type[RunOptions]) -> list[Parameter]:
    """Options of a class as parameters of a function."""
    types = get_type_hints(kind, include_extras=True)
    return [
        Parameter(one.name, Parameter.KEYWORD_ONLY, default=one.default, annotation=types[one.name])
        for one in fields(kind)
    ]
