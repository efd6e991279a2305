"""``fgbench baseline``: methods that the paper's models are compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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


@run_command(app, "insightface")
def insightface(
    *,
    weights: Annotated[
        Path | None,
        typer.Option("--weights", help="Backbone to fine-tune: InsightFace's backbone.pth."),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Train the backbone from random values instead.")
    ] = False,
    run: RunOptions,
) -> None:
    """InsightFace's network for face recognition, fine-tuned on the image set."""
    from fgbench.config import InsightFaceConfig, load_baseline
    from fgbench.errors import DependencyError

    if from_scratch and weights is not None:
        raise typer.BadParameter("takes no --weights", param_hint="--from-scratch")
    if not from_scratch and weights is None:
        raise DependencyError(
            "insightface fine-tunes a backbone, which does not come with fgbench, and no --weights are given",
            "download backbone.pth of an IResNet-50 from the model zoo of arcface_torch "
            "(github.com/deepinsight/insightface; for non-commercial research only) and name it with "
            "--weights; or say --from-scratch to train without (on the embedded data set: a small network)",
        )
    # The small one with weights freezes its backbone, which is no use for random values.
    small = "insightface-small-from-scratch" if from_scratch else None
    settings = run.recipe or default_recipe("insightface", run.workdir, run.device, small=small)
    config = run.changed(load_baseline("insightface", InsightFaceConfig, settings))
    if weights is None:
        config.check_trainable()
    with begun(run) as how:
        from fgbench.methods.steps.images import train_faces

        folders = train_faces(config, run.workdir, weights, **how)
    show_runs(folders, full=run.full, json=run.json)


add_commands(app)
