"""``fgbench baseline <name>`` for every baseline without options of its own."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from fgbench import plugins
from fgbench.cli import completion, places
from fgbench.cli.console import note
from fgbench.cli.options import DEFAULT_JOBS, Device, Force, Full, Jobs, Json, Resume
from fgbench.cli.runs import Fold, FoldFile, Seed, Seeds, Workdir, opened, run_place, seeded, show_runs

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from types import ModuleType

    from fgbench.runs.context import RunPlace

KIND = "methods"

Recipe = Annotated[
    str | None,
    typer.Option(
        "--recipe",
        help="Packed recipe or .yaml file.",
        show_default="the baseline's own",
        autocompletion=completion.recipe,
    ),
]


class Baselines(TyperGroup):
    """The baselines of fgbench, and those of other packages, looked for only when one may be meant."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all baselines."""
        return [*super().list_commands(ctx), *_commands_of_others()]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a baseline."""
        own = super().get_command(ctx, cmd_name)
        return own if own is not None else _commands_of_others().get(cmd_name)


def _commands_of_others() -> dict[str, Any]:
    """Name to command of the baselines of other packages; none of them is imported."""
    names = plugins.other_names(KIND)
    if not names:
        return {}
    # An app of their own: that of the group stays what fgbench has. With a callback it is a group of one too.
    app = typer.Typer(rich_markup_mode=None)
    app.callback()(lambda: None)
    for name in names:
        _add(app, name)
    return dict(typer.main.get_group(app).commands)


def add_commands(app: typer.Typer) -> None:
    """Add a command for each baseline of fgbench that has none yet."""
    there = {command.name for command in app.registered_commands}
    for name in plugins.own_names(KIND):
        if name.replace("_", "-") not in there:
            _add(app, name)


def _add(app: typer.Typer, name: str) -> None:
    """Add the command of a baseline; one that is not Python fails when it is run, not before."""
    typed = name.replace("_", "-")
    found = plugins.readable_sketch(KIND, name)
    make = _network if "DEVICE" in found.names else _conventional
    app.command(typed, help=_help(found.summary))(make(typed))


def _help(summary: str) -> str:
    """The first line of a docstring as help: without the name of the baseline before it."""
    rest = re.sub(r"^[^:]*``: ", "", summary)
    return rest[:1].upper() + rest[1:]


def run_conventional(
    name: str,
    *,
    workdir: Path = places.DEMO_WORKDIR,
    recipe: str | None = None,
    fold: str | None = None,
    fold_file: Path | None = None,
    seed: int = 0,
    seeds: int = 1,
    jobs: int = DEFAULT_JOBS,
    force: bool = False,
    full: bool = False,
    json: bool = False,
) -> None:
    """Run a baseline that needs no device, as its command does, and print its scores.

    Raises:
        ConfigError: If there is no such baseline, or its recipe or folds are not valid.
        FgbenchError: As the baseline raises.
    """
    start = partial(run_place, workdir, seed=seed, jobs=jobs, force=force, quiet=json, fold_file=fold_file)
    _run(name, recipe, start, fold=fold, seeds=seeds, full=full, json=json)


def _conventional(name: str) -> Callable[..., None]:
    def command(
        workdir: Workdir = places.DEMO_WORKDIR,
        recipe: Recipe = None,
        fold: Fold = None,
        fold_file: FoldFile = None,
        seed: Seed = 0,
        seeds: Seeds = 1,
        jobs: Jobs = DEFAULT_JOBS,
        force: Force = False,
        full: Full = False,
        json: Json = False,
    ) -> None:
        run_conventional(
            name,
            workdir=workdir,
            recipe=recipe,
            fold=fold,
            fold_file=fold_file,
            seed=seed,
            seeds=seeds,
            jobs=jobs,
            force=force,
            full=full,
            json=json,
        )

    return command


def _network(name: str) -> Callable[..., None]:
    def command(
        workdir: Workdir = places.DEMO_WORKDIR,
        recipe: Recipe = None,
        fold: Fold = None,
        fold_file: FoldFile = None,
        seed: Seed = 0,
        seeds: Seeds = 1,
        device: Device = None,
        jobs: Jobs = DEFAULT_JOBS,
        resume: Resume = True,
        force: Force = False,
        full: Full = False,
        json: Json = False,
    ) -> None:
        start = partial(
            opened,
            workdir,
            device,
            seed=seed,
            jobs=jobs,
            resume=resume,
            force=force,
            quiet=json,
            fold_file=fold_file,
        )
        _run(name, recipe, start, fold=fold, seeds=seeds, full=full, json=json)

    return command


def _run(
    name: str,
    recipe: str | None,
    start: Callable[..., AbstractContextManager[RunPlace]],
    *,
    fold: str | None,
    seeds: int,
    full: bool,
    json: bool,
) -> None:
    """Read the recipe, run every fold, print the scores."""
    from fgbench.config import load_baseline

    module = plugins.load(KIND, name)
    config = load_baseline(name, module.RECIPE, recipe)
    with start(stages=module.NEEDS) as place:
        places = [each for one in place.trained_folds(fold) for each in seeded(one, seeds)]
        folders = [_run_fold(name, module, config, each) for each in places]
    show_runs(folders, full=full, json=json)


def _run_fold(name: str, module: ModuleType, config: Any, place: RunPlace) -> Path:
    """Run one fold, unless it is there already."""
    from fgbench.runs.results import discard_run

    in_fold = f", fold {place.fold}" if place.division.n_folds else ""
    finished = None if place.force else place.finished(config.name, config.model_dump(mode="json"))
    if finished is not None:
        note(f"{name}, seed {place.seed}{in_fold}, is there already: {finished} (--force computes it anew)")
        return finished
    note(f"{name} on {place.details['dataset']} in {place.workdir}{in_fold}")
    with place.hold(config.name):
        if place.force:
            discard_run(place.workdir, experiment=config.name, fold=place.fold, seed=place.seed)
        with plugins.explained(KIND, name):
            found: Path = module.run(config, place)
    return found
