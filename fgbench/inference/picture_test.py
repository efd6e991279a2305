"""Evaluation of trained networks on test images: of the data they were trained on, or of others.

Reads weights and the manifests of a work folder. On other data it writes
``runs/<experiment>-on-<data set>/<fold>/<seed>/`` into that work folder; the run of the weights is not
changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.errors import DatasetError
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.methods._networks.transfer_details import is_zero_shot, settings_of, tested_elsewhere
from fgbench.methods._networks.transfer_names import experiment_elsewhere
from fgbench.methods.protocol import ImageNetwork
from fgbench.runs.labels import respelled
from fgbench.runs.ledger.again import note_again
from fgbench.runs.levels import at_level, level_above
from fgbench.runs.lock import hold_run
from fgbench.runs.predictions import Predictions, read_predictions
from fgbench.runs.results import SINGLE_FOLD, read_result, run_folder, write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.samples import image_samples
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Comparison of a run's predictions with new ones.

    Attributes:
        n: Samples with a prediction.
        largest_difference: Largest absolute difference of two probabilities.
        n_other_class: Samples whose class differs.
    """

    n: int
    largest_difference: float
    n_other_class: int

    @property
    def is_equal(self) -> bool:
        """Whether all probabilities are the same to the last digit."""
        return self.largest_difference == 0.0 and self.n_other_class == 0


def evaluate_images(network: ImageNetwork, context: TrainingContext) -> tuple[Path, Comparison | None]:
    """Predict the test images of a work folder anew.

    A network of the 33 leaves is also tested on six, seven or eight classes, see
    :mod:`fgbench.runs.zero_shot`; one of six, seven or eight on the leaves, see
    :mod:`fgbench.runs.levels`. Where folds divide the work folder, a network of one of its runs is
    tested on the test part of its fold, and any other on all images.

    Args:
        network: The network.
        context: Context of the run, with the network's device.

    Returns:
        The run with the scores: the network's own, compared with the new predictions, if it was scored on
        these manifests, else a new one.

    Raises:
        ConfigError: If the network has other classes than the work folder, or was trained on faces of another
            geometry; or the run would replace that of other weights.
        DatasetError: If there are no test images.
        ManifestError: If manifests or the run are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        UnknownLabelError: If a class of the data is not in the label set of the work folder.
    """
    run = network.trained.run
    source = None if run is None else read_result(run)
    is_own = source is not None and context.is_digest_of(source.get("manifest_digest"))
    labels = network.labels if is_own else respelled(network.labels, context.labels)
    level = level_above(labels, context.labels)
    is_zero_shot(network.trained, labels, context, level=level)  # refuses other classes before any work
    seed = int(network.trained.metadata["seed"])
    experiment, notes = "", list[str]()
    if not is_own:
        notes = network.check_data(context)
        experiment = experiment_elsewhere(network.trained, source, context, seed=seed)
    roles = _test_roles(context, fold=source["fold"] if is_own and source is not None else None)
    samples, more = roles.predicted, dict[str, Any]()
    if level is not None:
        samples = [one for one in samples if one.label in level.truth]
        roles, dropped = at_level(roles, level)
        more = {"level": level.name, "dropped": dropped}
    predicted = network.predict(context, samples)
    predictions = predictions_of(roles, predicted.probabilities, predicted.probabilities, labels.labels)
    if run is not None and is_own and source is not None:
        note_again(run, source, predictions)
        return run, compare(read_predictions(run), predictions)
    predictions, details = tested_elsewhere(
        predictions,
        network.trained,
        labels,
        source,
        context,
        more={**predicted.details, **more},
        notes=notes,
        level=level,
    )
    folder = run_folder(context.workdir, experiment=experiment, fold=SINGLE_FOLD, seed=seed)
    with hold_run(folder):
        predicted.write(folder)
        write_run(
            context.workdir,
            predictions,
            experiment=experiment,
            fold=SINGLE_FOLD,
            seed=seed,
            config=settings_of(network.trained),
            manifest_digest=context.manifest_digest,
            device=describe(context.device),
            details=details,
        )
    return folder, None


def compare(before: Predictions, now: Predictions) -> Comparison:
    """Compare predictions of the same samples.

    Raises:
        DatasetError: If the samples differ.
    """
    if list(before.sample_ids) != list(now.sample_ids):
        raise DatasetError(
            f"the run predicted {len(before.sample_ids)} samples, the work folder has "
            f"{len(now.sample_ids)} others",
            "train again with --force",
        )
    rows = [number for number, label in enumerate(now.predicted) if label is not None]
    differences = np.abs(before.probabilities[rows] - now.probabilities[rows])
    return Comparison(
        n=len(rows),
        largest_difference=float(differences.max(initial=0.0)),
        n_other_class=sum(one != other for one, other in zip(before.predicted, now.predicted, strict=True)),
    )


def _test_roles(context: TrainingContext, *, fold: str | None) -> Roles:
    """Return the test images of a fold, or of all folds."""
    usable_ids = image_ids(context.manifests)
    samples = image_samples(context.manifests)
    divided = context.division.tested(samples) if fold is None else context.division.divide(samples, fold)
    test = [s for s in divided if s.part == "test" and not s.is_copy]
    predicted = [s for s in test if s.sample_id in usable_ids]
    if not predicted:
        raise DatasetError(
            f"{context.manifests} has {len(test)} test images, none of them with a usable face",
            "check the split of the recipe of fgbench prepare",
        )
    roles = Roles(train=(), selection=(), predicted=predicted, test=test)
    return roles.with_lost(context.lost_tests(samples, fold=fold))
