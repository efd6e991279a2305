"""``fgbench baseline``: methods that the paper's models are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from fgbench.api.method_list import recipe_methods
from fgbench.cli.baseline_plugins import Baselines, add_commands
from fgbench.cli.options import RunOptions, run_command
from fgbench.cli.runs import run_and_show
from fgbench.cli.train import ImageRun, StartWeights

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(cls=Baselines, help="Run a baseline.", no_args_is_help=True, rich_markup_mode=None)


def _of_recipe(name: str) -> Callable[..., None]:
    """Function behind the command of a baseline that is a recipe of another method's network."""

    def command(*, run: RunOptions, image_run: ImageRun = None, weights: StartWeights = None) -> None:
        from fgbench.api.baselines import recipe_baseline

        baseline = recipe_baseline(
            name,
            run.workdir,
            recipe=run.recipe,
            changes=run.changes or (),
            image_run=image_run,
            weights=weights,
            device=run.device,
        )
        run_and_show(baseline, run)

    return command


for _one in recipe_methods():
    _absent = {"image_run", "weights"} - _one.takes
    run_command(app, _one.name, summary=_one.summary, without=_absent)(_of_recipe(_one.name))


add_commands(app)
