"""``fgbench evaluate``: a trained network tested again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from fgbench.cli import completion
from fgbench.cli.console import note, print_json, say, say_all
from fgbench.cli.options import DEFAULT_JOBS, Device, Full, Jobs, Json
from fgbench.cli.origin_lines import origin_lines
from fgbench.cli.runs import named_weights, opened
from fgbench.cli.units import evaluate_units
from fgbench.cli.workdirs import workdir_option
from fgbench.workfolders import default_places as places

if TYPE_CHECKING:
    from fgbench.inference.clip_test import Weight
    from fgbench.inference.picture_test import Comparison
    from fgbench.methods.protocol import ClipNetwork, ImageNetwork, Opened
    from fgbench.training.context import TrainingContext

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
    needs_torch()
    from fgbench.methods.protocol.kinds import open_trained
    from fgbench.runs.weights import read_trained, work_folder
    from fgbench.training.device import resolve

    named = workdirs or []
    trained = read_trained(named_weights(run, named[0] if named else places.DEMO_WORKDIR))
    weight = _weight(fusion_weight)
    network = open_trained(trained, resolve(device))
    if weight is not None and network.task != "clips":
        raise typer.BadParameter(
            f"{trained.name} is no network of clips with two streams", param_hint="--fusion-weight"
        )
    if len(named) > 1 and network.task != "units":
        raise typer.BadParameter(
            f"{len(named)} work folders, expected one: {trained.name} does not detect action units",
            param_hint="--workdir",
        )
    named = named or [work_folder(trained.path) or places.DEMO_WORKDIR]
    if network.task == "units":
        evaluate_units(trained, named, device, jobs=jobs, full=full, json=json)
        return
    with opened(named[0], device, stages=network.features, jobs=jobs, quiet=json) as place:
        note(f"{trained.name} on {place.details['dataset']} in {place.workdir}, {place.device}")
        if network.task == "clips":
            _clips(network, place, weight, full=full, json=json)
        else:
            _images(network, place, full=full, json=json)


def _weight(text: str | None) -> Weight:
    """Weight of the spatial stream that a user names."""
    if text is None:
        return None
    if text == "tuned":
        return "tuned"
    try:
        weight = float(text)
    except ValueError:
        weight = -1.0
    if not 0.0 <= weight <= 1.0:
        raise typer.BadParameter(
            f"{text!r}, expected a number from 0 to 1, or 'tuned'", param_hint="--fusion-weight"
        )
    return weight


def _clips(network: Opened, place: TrainingContext, weight: Weight, *, full: bool, json: bool) -> None:
    from fgbench.inference.clip_test import evaluate_clips

    folder, comparison = evaluate_clips(cast("ClipNetwork", network), place, weight)
    _print_scores(folder, comparison, "clips", full=full, json=json)


def _images(network: Opened, place: TrainingContext, *, full: bool, json: bool) -> None:
    from fgbench.inference.picture_test import evaluate_images

    folder, comparison = evaluate_images(cast("ImageNetwork", network), place)
    _print_scores(folder, comparison, "images", full=full, json=json)


def _print_scores(folder: Path, comparison: Comparison | None, what: str, *, full: bool, json: bool) -> None:
    """Print the scores of a run, and the comparison with those that it had."""
    from dataclasses import asdict

    from fgbench.api.finished import run_lines
    from fgbench.reports.run.confusion import confusion_json, write_confusion
    from fgbench.runs.results import read_result

    if json:
        compared = None if comparison is None else {**asdict(comparison), "is_equal": comparison.is_equal}
        write_confusion(folder)
        entries = {"run": str(folder), "compared": compared, "confusion": confusion_json(folder)}
        print_json({**read_result(folder), **entries})
        return
    say_all(run_lines(folder, full=full))
    if comparison is None:
        details = read_result(folder)["details"]
        for line in origin_lines(details) if isinstance(details.get("weights"), dict) else []:
            say(line)
    elif comparison.is_equal:
        say(f"the predictions of {comparison.n} {what} are equal to those of the run")
    else:
        say(
            f"the predictions of {comparison.n} {what} differ from those of the run by up to "
            f"{comparison.largest_difference:.1e}; {comparison.n_other_class} have another class"
        )


def needs_torch() -> None:
    """Refuse to go on where networks cannot run.

    Raises:
        DependencyError: If torch is not installed.
    """
    from importlib.util import find_spec

    from fgbench.errors import DependencyError

    missing = [name for name in ("torch", "safetensors") if find_spec(name) is None]
    if missing:
        raise DependencyError(
            f"networks need a package that is not installed ({missing[0]})", "pip install 'fgbench[train]'"
        )
