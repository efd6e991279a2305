"""``fgbench baseline``: methods that the paper's models are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.cli.baseline_plugins import Baselines, add_commands
from fgbench.cli.options import RunOptions, run_command
from fgbench.cli.runs import begun, default_recipe
from fgbench.cli.show_runs import show_runs
from fgbench.cli.train import ImageRun, StartWeights

if TYPE_CHECKING:
    from collections.abc import Callable

app = typer.Typer(cls=Baselines, help="Run a baseline.", no_args_is_help=True, rich_markup_mode=None)


def _of_recipe(name: str) -> Callable[..., None]:
    """Function behind the command of a baseline that is a recipe of another method's network."""

    def command(*, run: RunOptions, image_run: ImageRun = None, weights: StartWeights = None) -> None:
        from fgbench.config import TrainClipConfig, TrainImageConfig, load_training

        baseline = RECIPE_BASELINES[name]
        settings = run.recipe or default_recipe(name, run.workdir, run.device)
        model: type[TrainImageConfig | TrainClipConfig]
        model = TrainImageConfig if baseline.train == "msau" else TrainClipConfig
        config = run.changed(load_training(settings, model))
        baseline.check(config)
        with begun(run) as how:
            from fgbench.methods.steps.clips import train_clips
            from fgbench.methods.steps.images import train_images

            if isinstance(config, TrainImageConfig):
                folders = train_images(config, run.workdir, **how)
            else:
                folders = train_clips(config, run.workdir, image_run=image_run, weights=weights, **how)
        show_runs(folders, full=run.full, json=run.json)

    return command


for _name, _baseline in RECIPE_BASELINES.items():
    _absent = {"image_run", "weights"} - _baseline.takes
    run_command(app, _name, summary=_baseline.summary, without=_absent)(_of_recipe(_name))


add_commands(app)
