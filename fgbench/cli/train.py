"""``fgbench train``: networks, from the manifests of a work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.api.method_list import TEMPORAL, VARIANTS
from fgbench.cli.command_lists import CommandList
from fgbench.cli.console import print_json, say_all, wrong_use
from fgbench.cli.next_steps import say_next
from fgbench.cli.options import RunOptions, run_command
from fgbench.cli.runs import run_and_show, trained
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_folders

app = typer.Typer(cls=CommandList, help="Train a network.", no_args_is_help=True, rich_markup_mode=None)

ImageRun = Annotated[
    str | None,
    typer.Option(
        "--image-run",
        help="Run of 'train msau' that describes the frames, or its weights.",
        show_default="the recipe's of this work folder, which is trained first if absent",
    ),
]
StartWeights = Annotated[
    Path | None,
    typer.Option(
        "--weights",
        help="Start convolutional streams from these: torchvision's GoogLeNet or VGG16, or C3D.",
        show_default="drawn values",
    ),
]


@run_command(app, "au", without=("workdir", "fold", "fold_file"))
def au(
    *,
    workdirs: Annotated[
        list[Path] | None,
        workdir_option(
            "Work folder; named several times, one network is trained on all, and lies in the first."
        ),
    ] = None,
    run: RunOptions,
    folds: Annotated[
        int,
        typer.Option(
            "--folds",
            min=0,
            help="Cross-validate over this many groups of subjects; 0 takes the work folder's own protocol.",
        ),
    ] = 0,
) -> None:
    """Detect action units: the pretraining that MSAU-Net's trunk comes from."""
    from fgbench.api.finished import units_json, units_lines
    from fgbench.api.next_commands import after_units
    from fgbench.api.training import units

    training = units(
        workdirs or [default_folders.DEMO_WORKDIR],
        recipe=run.recipe,
        changes=run.changes or (),
        folds=folds,
        device=run.device,
    )
    folders = trained(training, run)
    if run.json:
        print_json(units_json(folders))
        return
    say_all(units_lines(folders, full=run.full))
    say_next(["train"], lambda: after_units(folders[0]))


@run_command(app, "msau")
def msau(
    *,
    variant: Annotated[str, typer.Option("--variant", help=f"One of {', '.join(VARIANTS)}.")] = "msau",
    run: RunOptions,
    au_weights: Annotated[
        Path | None,
        typer.Option(
            "--au-weights",
            help="Run of 'train au', or its weights.",
            show_default="those of this work folder, which are trained first if absent",
        ),
    ] = None,
    init: Annotated[
        str | None,
        typer.Option(
            "--init",
            help="Trained network of images to start from, all but its classifiers; with its own settings "
            "unless --recipe names others.",
        ),
    ] = None,
    trunk: Annotated[
        str | None,
        typer.Option(
            "--trunk",
            help="Trained network of images whose trunk is taken in the place of that of action units, or "
            "'none' for drawn values; it trains then.",
            show_default="that of action units",
        ),
    ] = None,
    hf: Annotated[
        str | None,
        typer.Option(
            "--hf",
            help="Network for network.trunk=backbone, whose last map takes the place of the paper's trunk: a "
            "folder with config.json and *.safetensors.",
        ),
    ] = None,
    torch: Annotated[
        Path | None,
        typer.Option(
            "--torch",
            help="Such a network: a file of weights alone, .safetensors or .pth; --arch names its network.",
        ),
    ] = None,
    arch: Annotated[
        str | None,
        typer.Option("--arch", help="Architecture of --torch: resnet50, iresnet50, convnext, timm/NAME, ..."),
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", help="Licence of that network, for the model card.")
    ] = None,
) -> None:
    """MSAU-Net, or one of its ablations, on the image set."""
    from fgbench.api import training

    with wrong_use():
        network = training.msau(
            run.workdir,
            variant=variant,
            recipe=run.recipe,
            changes=run.changes or (),
            au_weights=au_weights,
            init=init,
            trunk=trunk,
            hf=hf,
            torch=torch,
            arch=arch,
            licence=licence,
            device=run.device,
        )
    run_and_show(network, run)


@run_command(app, "tmsau")
def tmsau(
    *,
    temporal: Annotated[
        str,
        typer.Option(
            "--temporal",
            help=f"Temporal stream: one of {', '.join(TEMPORAL)}.",
            show_default="the recipe's, else flow",
        ),
    ] = "",
    run: RunOptions,
    image_run: ImageRun = None,
    weights: StartWeights = None,
) -> None:
    """TMSAU-Net on clips: attention over frames, and a temporal stream."""
    from fgbench.api import training

    with wrong_use():
        network = training.tmsau(
            run.workdir,
            temporal=temporal,
            recipe=run.recipe,
            changes=run.changes or (),
            image_run=image_run,
            weights=weights,
            device=run.device,
        )
    run_and_show(network, run)
