"""Evaluation of trained detectors of action units on data that they were not trained on.

Reads weights, and manifests and labels of a work folder. Writes
``runs/<experiment>-on-<data set>/<fold>/<seed>/`` into that work folder, as
:mod:`fgbench.runs.unit_results` does; the run of the weights is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.config import TrainAuConfig
from fgbench.errors import DatasetError
from fgbench.inference.unit_test import open_units, predict_units
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.transfer_details import origin_details
from fgbench.methods._networks.transfer_names import experiment_elsewhere
from fgbench.methods.action_units.folders import own_result
from fgbench.methods.action_units.frames import Frames, UnitData, labelled_frames
from fgbench.methods.action_units.pseudo_labels import pseudo_data, pseudo_tested, pseudo_trained
from fgbench.runs.lock import hold_run
from fgbench.runs.pseudo_labels import PSEUDO
from fgbench.runs.results import SINGLE_FOLD, run_folder
from fgbench.runs.settings import read_settings
from fgbench.runs.unit_results import AuPredictions, write_au_run
from fgbench.runs.weights import Trained
from fgbench.training.device import describe


def evaluate_units_elsewhere(trained: Trained, data: UnitData) -> Path:
    """Predict the test frames of other data; units without labels there are not scored.

    Where folds divide the work folder, all its frames are tested.

    Args:
        trained: Weights of action units.
        data: The work folder and its labels.

    Returns:
        Folder of the new run.

    Raises:
        ConfigError: If the network was trained on faces of another geometry, or the run would replace that of
            other weights.
        DatasetError: If no test frame has both a face and labels of the network's units.
        ManifestError: If the weights are of another kind, or they, their run or the manifests are damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If the folder cannot be written, or another process makes the run.
    """
    context = data.context
    face_notes = refuse_other_faces(trained, context)
    network = open_units(trained, context.device)
    source = own_result(trained)
    seed = int(trained.metadata["seed"])
    experiment = experiment_elsewhere(trained, source, context, seed=seed)
    settings = {} if source is None else read_settings(trained.path.parent, source)
    config = _recipe(trained, settings)
    tested = _tested(config, data)
    opened = tested.open(context, config)
    predictions = AuPredictions(
        units=config.action_units,
        sample_ids=opened.sample_ids,
        clip_ids=opened.clip_ids,
        subject_ids=opened.subject_ids,
        labels=opened.labels,
        probabilities=predict_units(network, opened.images),
    )
    folder = run_folder(context.workdir, experiment=experiment, fold=SINGLE_FOLD, seed=seed)
    detectors = pseudo_data([data])
    notes = [*pseudo_trained(trained.metadata), *pseudo_tested(detectors), *face_notes]
    with hold_run(folder):
        write_au_run(
            folder,
            predictions,
            config=config.model_dump(mode="json"),
            device=describe(context.device),
            details={
                **origin_details(trained, source, context),
                **({PSEUDO: detectors} if detectors else {}),
                **({"notes": notes} if notes else {}),
                "fold": SINGLE_FOLD,
                "seed": seed,
            },
        )
    return folder


def _recipe(trained: Trained, settings: Mapping[str, Any]) -> TrainAuConfig:
    """Return the recipe of a run; for weights alone, their units and defaults."""
    own = {"name": trained.metadata["experiment"], "action_units": trained.metadata["action_units"]}
    return TrainAuConfig.model_validate({**settings, **own})


def _tested(config: TrainAuConfig, data: UnitData) -> Frames:
    is_folded = bool(data.context.division.n_folds)
    frames = labelled_frames(config, [data], divided=not is_folded)
    tested = frames.take([n for n, part in enumerate(frames.parts) if is_folded or part == "test"])
    if not (tested.labels != 0).any():
        raise DatasetError(
            f"none of the {len(tested)} test frames of {data.context.workdir} is labelled for one of the "
            f"network's action units ({', '.join(config.action_units)})",
            "check the split of the recipe of fgbench prepare, and which units the data set annotates",
        )
    return tested
