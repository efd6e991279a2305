"""Evaluation of trained detectors of action units on the test frames of their run.

Reads weights, the labels in the run's predictions, and the faces of the manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
import torch

from fgbench.errors import ManifestError
from fgbench.inputs.batching import Source
from fgbench.inputs.resident import RESIDENT_MB
from fgbench.methods.action_units.folders import by_dataset, scored_on
from fgbench.methods.action_units.frames import open_frames
from fgbench.methods.protocol import UnitNetwork
from fgbench.methods.protocol.kinds import open_trained
from fgbench.runs.ledger.again import note_again
from fgbench.runs.unit_results import AuPredictions, Probabilities, read_au_predictions, read_au_result
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext


@dataclass(frozen=True, slots=True, kw_only=True)
class AuAnew:
    """New predictions of a run.

    Attributes:
        predictions: New predictions of the run's frames, with the run's labels.
        largest_difference: Largest absolute difference to the run's own probabilities.
    """

    predictions: AuPredictions
    largest_difference: float


def evaluate_units(trained: Trained, contexts: Sequence[TrainingContext]) -> AuAnew:
    """Predict the test frames of a run anew.

    Args:
        trained: Weights of a finished run of ``fgbench train au``.
        contexts: The work folders that it was scored on, in any order; the first one's device computes.

    Raises:
        ConfigError: If these are not the work folders of its data sets, with unchanged manifests.
        ManifestError: If the run is not finished, or it or the manifests are damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    folder = trained.path.parent
    result, before = read_au_result(folder), read_au_predictions(folder)
    own = scored_on(result)
    ordered = by_dataset(trained, own, contexts)
    network = open_units(trained, contexts[0].device)
    prefixes = [f"{name}/" for name in own] if len(own) > 1 else [""]
    folders = [_folder_of(clip, prefixes) for clip in before.clip_ids]
    keys = [
        (clip.removeprefix(prefixes[folder_index]), int(name.removeprefix(f"{clip}-f")))
        for folder_index, clip, name in zip(folders, before.clip_ids, before.sample_ids, strict=True)
    ]
    images = open_frames(
        ordered, folders, keys, before.sample_ids, context=contexts[0], resident_mb=RESIDENT_MB
    )
    probabilities = predict_units(network, images)
    note_again(folder, result, before)
    return AuAnew(
        predictions=replace(before, probabilities=probabilities),
        largest_difference=float(np.abs(probabilities - before.probabilities).max(initial=0.0)),
    )


def open_units(trained: Trained, device: torch.device) -> UnitNetwork:
    """Build the detector of action units of trained weights.

    Raises:
        ManifestError: If they are of another network, or do not fit the one that they describe.
    """
    trained.require("au", purpose="(a detector of action units)")
    return cast(UnitNetwork, open_trained(trained, device))


def predict_units(network: UnitNetwork, images: Source) -> Probabilities:
    """Predict probabilities (N, A) float32 of faces, in their order.

    Raises:
        ManifestError: If they are not finite.
        MediaError: If a picture cannot be decoded or has another size.
    """
    probabilities = network.probabilities(images)
    if not np.isfinite(probabilities).all():
        raise ManifestError(
            f"predictions of {network.trained.name} are not finite",
            "train it again: fgbench train au --force",
        )
    return probabilities


def _folder_of(clip_id: str, prefixes: Sequence[str]) -> int:
    """Return the index of the data set whose name a clip begins with; the longest that fits."""
    fits = [index for index, prefix in enumerate(prefixes) if clip_id.startswith(prefix)]
    if not fits:
        raise ManifestError(
            f"clip {clip_id!r} bears the name of none of the run's data sets", "run fgbench train au again"
        )
    return max(fits, key=lambda index: len(prefixes[index]))
