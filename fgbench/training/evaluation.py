"""Trained networks on test images again: of the data they were trained on, or of others.

Reads weights and the manifests of a work folder. On other data it writes
``runs/<experiment>-on-<data set>/<fold>/<seed>/`` into that work folder; nothing of the run that the weights
are of is changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fgbench.errors import ConfigError, DatasetError
from fgbench.evaluation.labels import FG33
from fgbench.evaluation.results import (
    CONFIG,
    SINGLE_FOLD,
    Predictions,
    read_predictions,
    read_result,
    run_folder,
    write_run,
)
from fgbench.evaluation.roles import Roles, predictions_of
from fgbench.evaluation.samples import image_samples
from fgbench.evaluation.six_classes import RULE, ZeroShot, can_map, zero_shot
from fgbench.training.device import describe
from fgbench.training.image_set import open_image_set
from fgbench.training.image_task import predict
from fgbench.training.inference import ImageNetwork
from fgbench.training.outcome import write_branches, write_regions
from fgbench.training.overlap import clips_trained_on
from fgbench.training.place import Place
from fgbench.training.stored import image_ids
from fgbench.training.trained import Trained

RESIDENT_MB = 4096
"""Memory for the test images; more are streamed from disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Predictions of a run beside those made anew.

    Attributes:
        n: Samples with a prediction.
        largest_difference: Largest absolute difference of two probabilities.
        n_other_class: Samples whose class is another.
    """

    n: int
    largest_difference: float
    n_other_class: int

    @property
    def is_equal(self) -> bool:
        """Whether all probabilities are the same to the last digit."""
        return self.largest_difference == 0.0 and self.n_other_class == 0


def evaluate_images(network: ImageNetwork, place: Place) -> tuple[Path, Comparison | None]:
    """Predict the test images of a work folder anew.

    A network of the 33 leaves is also tested on six, seven or eight classes, see
    :mod:`fgbench.evaluation.six_classes`. Where folds divide the work folder, a network of one of its runs is
    tested on the test part of its fold, and any other on all images.

    Args:
        network: The network.
        place: The work folder, with the device that the network is on.

    Returns:
        The run that tells the scores: the network's own, compared with what was predicted now, if it was
        scored on these manifests, else a new one.

    Raises:
        ConfigError: If the network tells other classes apart than those of the work folder.
        DatasetError: If there are no test images.
        ManifestError: If manifests or the run are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        UnknownLabelError: If a class of the data is not in the label set of the work folder.
    """
    run = network.trained.run
    source = None if run is None else read_result(run)
    is_own = source is not None and source["manifest_digest"] == place.manifest_digest
    is_zero_shot = _is_zero_shot(network, place)
    roles = _test_roles(place, fold=source["fold"] if is_own and source is not None else None)
    test = open_image_set(
        place.manifests,
        roles.predicted,
        device=place.device,
        resident_mb=RESIDENT_MB,
        jobs=place.jobs,
        progress=place.progress,
        labels=place.labels,
    )
    predicted = predict(network.model, network.preprocessing, test.images)
    found = predictions_of(roles, predicted.probabilities, predicted.probabilities, network.classes)
    if run is not None and is_own:
        return run, compare(read_predictions(run), found)
    details = _details(network.trained, source, place)
    if place.division.n_folds:
        label = f"{place.division.label}, all folds tested by one network"
        details["protocol"] = {**place.division.told(), "label": label, "folds": [SINGLE_FOLD]}
    if is_zero_shot:
        mapped = zero_shot(found)
        found = mapped.predictions
        details["transfer"] = _transfer(mapped, network, source)
    experiment = f"{network.trained.metadata['experiment']}-on-{_slug(str(place.details['dataset']))}"
    seed = int(network.trained.metadata["seed"])
    folder = run_folder(place.workdir, experiment=experiment, fold=SINGLE_FOLD, seed=seed)
    write_branches(folder, test.sample_ids, predicted.branches)
    if predicted.strength.shape[1]:
        write_regions(folder, test.sample_ids, predicted)
    write_run(
        place.workdir,
        found,
        experiment=experiment,
        fold=SINGLE_FOLD,
        seed=seed,
        config=_settings(network.trained),
        manifest_digest=place.manifest_digest,
        device=describe(place.device),
        details=details,
    )
    return folder, None


def compare(before: Predictions, now: Predictions) -> Comparison:
    """Compare predictions of the same samples.

    Raises:
        DatasetError: If the samples are others.
    """
    if list(before.sample_ids) != list(now.sample_ids):
        raise DatasetError(
            f"the run predicted {len(before.sample_ids)} samples, the work folder has "
            f"{len(now.sample_ids)} others",
            "train again with --force",
        )
    here = [number for number, label in enumerate(now.predicted) if label is not None]
    differences = np.abs(before.probabilities[here] - now.probabilities[here])
    return Comparison(
        n=len(here),
        largest_difference=float(differences.max(initial=0.0)),
        n_other_class=sum(one != other for one, other in zip(before.predicted, now.predicted, strict=True)),
    )


def _is_zero_shot(network: ImageNetwork, place: Place) -> bool:
    """Whether the classes have to be mapped, refusing those that cannot be."""
    if set(network.classes) == set(place.labels.labels):
        return False
    if network.labels.name == FG33 and can_map(place.labels):
        return True
    raise ConfigError(
        f"{network.trained.name} tells {len(network.classes)} classes of {network.labels.name} apart, but "
        f"{place.workdir} has {len(place.labels.labels)} of {place.labels.name}, expected the same",
        f"train on the classes of this work folder: fgbench train msau --init RUN --workdir {place.workdir}",
    )


def _test_roles(place: Place, *, fold: str | None) -> Roles:
    """Test images of a fold, or of all folds."""
    known = image_ids(place.manifests)
    samples = image_samples(place.manifests)
    divided = place.division.tested(samples) if fold is None else place.division.divide(samples, fold)
    test = [s for s in divided if s.part == "test" and not s.is_copy]
    predicted = [s for s in test if s.sample_id in known]
    if not predicted:
        raise DatasetError(
            f"{place.manifests} has {len(test)} test images, none of them with a usable face",
            "check the split of the recipe of fgbench prepare",
        )
    return Roles(train=(), selection=(), predicted=predicted, test=test)


def _transfer(mapped: ZeroShot, network: ImageNetwork, source: Mapping[str, Any] | None) -> dict[str, Any]:
    """What a result tells of a test on other classes than those trained on."""
    own = {} if source is None else source["details"]
    return {
        "kind": "zero-shot",
        "method": own.get("method"),
        "run": network.trained.name,
        "dataset": own.get("dataset", "unknown data"),
        "scheme": network.labels.name,
        "rule": RULE,
        "dropped": dict(mapped.dropped),
        "summed": {"uar": mapped.summed.uar, "war": mapped.summed.war},
    }


def _details(trained: Trained, source: Mapping[str, Any] | None, place: Place) -> dict[str, Any]:
    """What a result on other data tells, first of all which weights they are."""
    own = {} if source is None else source["details"]
    dataset = own.get("dataset", "unknown data")
    # Not the name of a row of Table II: those are trained on the data that they are tested on.
    method = f"{own.get('method', trained.metadata['experiment'])}, trained on {dataset}"
    return {
        **place.details,
        "manifest_digest": place.manifest_digest,
        "method": method,
        "kind": "image",
        "recipe": trained.metadata["experiment"],
        "regions": trained.metadata["network"]["zooms"],
        "weights": {
            "sha256": trained.digest,
            "run": trained.name,
            "dataset": dataset,
            "synthetic": own.get("synthetic"),
            "manifest_digest": None if source is None else source["manifest_digest"],
        },
        "clips_trained_on": clips_trained_on(trained, place),
    }


def _settings(trained: Trained) -> Mapping[str, Any]:
    """Settings of the run that weights are of; those of the network alone where there is no such run."""
    import yaml

    path = trained.path.parent / CONFIG
    if trained.run is None or not path.is_file():
        return {"network": trained.metadata["network"]}
    settings: Mapping[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return settings


def _slug(name: str) -> str:
    """A name as part of that of a folder."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name)
