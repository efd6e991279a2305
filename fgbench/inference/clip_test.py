"""Evaluation of trained clip networks: on test clips of any data, with any weight of the streams.

Reads weights and the manifests of a work folder. On other data, and with another weight, it writes a new run;
the run of the weights is not changed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.evaluation.fusion import best_weight, sweep
from fgbench.inference.picture_test import Comparison, compare
from fgbench.methods._networks.transfer_details import is_zero_shot, settings_of, tested_elsewhere
from fgbench.methods._networks.transfer_names import experiment_elsewhere
from fgbench.methods.protocol import ClipNetwork, ClipReader, PredictedClips
from fgbench.runs.labels import respelled
from fgbench.runs.ledger.again import note_again
from fgbench.runs.lock import hold_run
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import SINGLE_FOLD, read_result, run_folder, write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.samples import Sample, moving_samples
from fgbench.runs.streams import NAMES, read_streams
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe

Weight = float | Literal["tuned"] | None
"""Weight of the spatial stream; ``"tuned"`` is the best on validation, ``None`` the recipe's."""


def evaluate_clips(
    network: ClipNetwork, context: TrainingContext, weight: Weight = None
) -> tuple[Path, Comparison | None]:
    """Predict the test clips of a work folder anew.

    Args:
        network: The network.
        context: Context of the run, with the network's device.
        weight: Weight of the spatial stream.

    Returns:
        The run with the scores: the network's own, compared with the new predictions, if it was
        scored on these manifests and with this weight, else a new one.

    Raises:
        ConfigError: If the network has other classes than the work folder, was trained on optical flow with
            other settings, or has one stream only and a weight is given; or the run would replace that of
            other weights.
        DatasetError: If there are no test clips.
        ManifestError: If manifests or the run are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    trained = network.trained
    source = None if trained.run is None else read_result(trained.run)
    is_own = source is not None and context.is_digest_of(source.get("manifest_digest"))
    labels = network.labels if is_own else respelled(network.labels, context.labels)
    is_zero_shot(trained, labels, context)  # refuses other classes before any work
    notes = [] if is_own else network.check_data(context)
    chosen = network.fusion_weight if weight is None else _weight(network, weight)
    seed = int(trained.metadata["seed"])
    more = "" if weight is None else f"-w{chosen:.2f}"
    experiment = f"{trained.metadata['experiment']}{more}"
    if not is_own:
        experiment = experiment_elsewhere(trained, source, context, seed=seed, more=more)
    reader = network.reader(context)
    parts, roles = _predicted(reader, context, fold=source["fold"] if is_own and source else None)
    fused = parts["test"].fused(chosen)
    predictions = predictions_of(roles, fused, fused, labels.labels)
    if trained.run is not None and source is not None and is_own and weight is None:
        note_again(trained.run, source, predictions)
        return trained.run, compare(read_predictions(trained.run), predictions)
    network_details = {**network.details, "fusion_weight": chosen if len(network.streams) > 1 else None}
    if is_own and source is not None:
        fold = str(source["fold"])
        details: dict[str, Any] = {**source["details"], **network_details}
    else:
        fold = SINGLE_FOLD
        predictions, details = tested_elsewhere(
            predictions, trained, labels, source, context, more=network_details, notes=notes, level=None
        )
    if weight is not None:
        how = ", chosen on validation" if weight == "tuned" else ""
        details["method"] = f"{details['method']}, weight of the spatial stream {chosen:.2f}{how}"
    folder = run_folder(context.workdir, experiment=experiment, fold=fold, seed=seed)
    with hold_run(folder):
        if not details.get("transfer"):
            reader.write(folder, parts)
        write_run(
            context.workdir,
            predictions,
            experiment=experiment,
            fold=fold,
            seed=seed,
            config={**settings_of(trained), "fusion_weight": chosen},
            manifest_digest=context.manifest_digest,
            device=describe(context.device),
            details=details,
        )
    return folder, None


def tuned_weight(run: Path) -> float:
    """Return the weight of the spatial stream that is best on the validation clips of a run.

    Raises:
        ManifestError: If the run has no predictions of validation clips by both streams.
    """
    streams = read_streams(run)
    if set(streams) != set(NAMES):
        raise ManifestError(
            f"{run} has the streams {', '.join(streams)}, expected {' and '.join(NAMES)}",
            "a weight is chosen for networks of two streams",
        )
    spatial, temporal = (streams[name] for name in NAMES)
    class_index = {label: number for number, label in enumerate(spatial.classes)}
    rows = [row for row, part in enumerate(spatial.parts) if part == "val"]
    ids = [spatial.sample_ids[row] for row in rows]
    weight = best_weight(
        [
            sweep(
                spatial.of(ids),
                temporal.of(ids),
                truth=np.array([class_index[spatial.labels[row]] for row in rows], np.int64),
                sample_ids=ids,
                part="val",
            )
        ],
        test=read_predictions(run).sample_ids,
    )
    if weight is None:
        raise ManifestError(
            f"{run} has no predictions of validation clips to choose a weight on",
            "name a weight between 0 and 1",
        )
    return weight


def _weight(network: ClipNetwork, weight: float | Literal["tuned"]) -> float:
    if len(network.streams) < 2:
        raise ConfigError(
            f"{network.trained.name} has the {network.streams[0]} stream alone, expected two to weigh",
            "leave the weight of the streams out",
        )
    if weight != "tuned":
        return weight
    if network.trained.run is None:
        raise ManifestError(
            f"{network.trained.path} lies in no run whose validation clips could be looked at",
            "name a weight between 0 and 1",
        )
    return tuned_weight(network.trained.run)


def _predicted(
    reader: ClipReader, context: TrainingContext, *, fold: str | None
) -> tuple[Mapping[str, PredictedClips], Roles]:
    """Predict the test and validation clips of a fold; without a fold, the test clips of all folds."""
    samples = moving_samples(context.manifests)
    divided = context.division.tested(samples) if fold is None else context.division.divide(samples, fold)
    test = [sample for sample in divided if sample.part == "test"]
    usable = [sample for sample in test if sample.sample_id in reader.clip_ids]
    if not usable:
        raise DatasetError(
            f"{context.manifests} has {len(test)} test clips, none of them with a usable face",
            "check the split of the recipe of fgbench prepare",
        )
    wanted: Mapping[str, Sequence[Sample]] = {"test": usable}
    if fold is not None:
        val = [s for s in divided if s.part == "val" and s.sample_id in reader.clip_ids]
        wanted = {"val": val, "test": usable} if val else wanted
    parts = {part: reader.predict(samples_of_part) for part, samples_of_part in wanted.items()}
    roles = Roles(train=(), selection=(), predicted=usable, test=test)
    return parts, roles.with_lost(context.lost_tests(samples, fold=fold))
