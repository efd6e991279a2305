"""``fgbench evaluate``: a trained network tested again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fgbench.cli import completion
from fgbench.cli.console import print_json, progress_bars, say_all, wrong_use
from fgbench.cli.embedded import prepare_embedded
from fgbench.cli.options import DEFAULT_JOBS, Device, Full, Jobs, Json
from fgbench.cli.workdirs import workdir_option

TrainedRun = Annotated[
    str,
    typer.Argument(
        help="Folder of a run, its weights, or the name of an experiment in the work folder.",
        autocompletion=completion.run,
    ),
]


def evaluate(
    run: TrainedRun,
    workdirs: Annotated[
        list[Path] | None,
        workdir_option(
            "Work folder whose test part is predicted; of action units trained on several data sets, "
            "once for each that lies elsewhere than then.",
            "the one that the run lies in, else ./fgbench-data/demo/work",
        ),
    ] = None,
    fusion_weight: Annotated[
        str | None,
        typer.Option(
            "--fusion-weight",
            help="Networks of clips: weight of the spatial stream, 0 to 1, or 'tuned' (best on validation).",
            show_default="the recipe's",
        ),
    ] = None,
    device: Device = None,
    jobs: Jobs = DEFAULT_JOBS,
    full: Full = False,
    json: Json = False,
) -> None:
    """Predict the test images or clips of a work folder anew with a trained network, and print the scores.

    Where the run was scored on the same manifests, its predictions are compared with the new ones. With
    another weight of the streams a new run appears, runs/EXPERIMENT-wWEIGHT; on other data it is
    runs/EXPERIMENT-on-DATASET, with a digest of its training where another network of that name was tested
    there before. A network of the 33 classes is tested on data sets of six, seven or eight by
    its upper classes (paper section V-D). Action units that were trained on several data sets are predicted
    on all of these again.
    """
    from fgbench.api.testing import evaluation

    with wrong_use():
        test = evaluation(run, workdirs or (), fusion_weight=fusion_weight, device=device)
    for workdir in test.workdirs:
        prepare_embedded(workdir, jobs=jobs)
    with progress_bars(quiet=json) as progress:
        evaluated = test.run(jobs=jobs, progress=progress)
    print_json(evaluated.to_json()) if json else say_all(evaluated.lines(full=full))
