"""Trained detectors of action units on the test frames of their run again.

Reads weights, the labels that the run kept with its predictions, and the faces of the manifests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from pydantic import ValidationError

from fgbench.config import TrunkConfig
from fgbench.errors import ManifestError
from fgbench.inference.picture_test import RESIDENT_MB
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.action_units.folders import by_dataset, scored_on
from fgbench.methods.action_units.frames import open_frames
from fgbench.methods.action_units.task import LabelledFrames, predict_units
from fgbench.models.drml import AuNet, Embedding, Trunk
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.unit_results import AuPredictions, Probabilities, read_au_predictions, read_au_result
from fgbench.runs.weights import Trained
from fgbench.training.context import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class AuAnew:
    """Predictions of a run made anew.

    Attributes:
        predictions: Those made now, of the run's frames with the run's labels.
        largest_difference: Largest absolute difference to the run's own probabilities.
    """

    predictions: AuPredictions
    largest_difference: float


def open_au_network(trained: Trained, device: torch.device) -> tuple[AuNet, Preprocessing]:
    """Build the network that weights of action units are of, in evaluation mode.

    Raises:
        ManifestError: If they are of another kind, or do not fit the network that they tell of.
    """
    origin, known = str(trained.path), trained.metadata
    trained.require("au", purpose="(a detector of action units)")
    try:
        trunk_config = TrunkConfig.model_validate(known["trunk"])
    except ValidationError as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this fgbench knows ({error})",
            "update fgbench, or train the network anew",
        ) from error
    preprocessing = Preprocessing.of_metadata(known, origin)

    def made() -> AuNet:
        trunk = Trunk(trunk_config)
        # Dropout is not in the weights, and does nothing in evaluation.
        embedding = Embedding(
            trunk.channels, fc_hidden=known["fc_hidden"], embedding=known["embedding"], dropout=0.0
        )
        return AuNet(trunk, embedding, n_action_units=len(known["action_units"]))

    check_fit(made, trained.state, origin=origin)
    model = made()
    load_into(model, trained.state, origin=origin)
    model.to(device=device, memory_format=torch.channels_last)  # as in training, to the last digit
    return model.eval(), preprocessing


def evaluate_units(trained: Trained, places: Sequence[Place]) -> AuAnew:
    """Predict the test frames of a run anew.

    Args:
        trained: Weights of a finished run of ``fgbench train au``.
        places: The work folders that it was scored on, in any order; the first one's device computes.

    Raises:
        ConfigError: If these are not the work folders of its data sets, with the manifests of then.
        ManifestError: If the run is not finished, or it or the manifests are damaged.
        MediaError: If a picture cannot be decoded or has another size.
    """
    folder = trained.path.parent
    result, before = read_au_result(folder), read_au_predictions(folder)
    own = scored_on(result)
    ordered = by_dataset(trained, own, places)
    model, preprocessing = open_au_network(trained, places[0].device)
    prefixes = [f"{name}/" for name in own] if len(own) > 1 else [""]
    folders = [_folder_of(clip, prefixes) for clip in before.clip_ids]
    keys = [
        (clip.removeprefix(prefixes[at]), int(name.removeprefix(f"{clip}-f")))
        for at, clip, name in zip(folders, before.clip_ids, before.sample_ids, strict=True)
    ]
    frames = LabelledFrames(
        sample_ids=before.sample_ids,
        clip_ids=before.clip_ids,
        subject_ids=before.subject_ids,
        labels=before.labels,
        images=open_frames(
            ordered, folders, keys, before.sample_ids, place=places[0], resident_mb=RESIDENT_MB
        ),
    )
    found = ask(trained, model, preprocessing, frames)
    return AuAnew(
        predictions=replace(before, probabilities=found),
        largest_difference=float(np.abs(found - before.probabilities).max(initial=0.0)),
    )


def ask(
    trained: Trained, model: AuNet, preprocessing: Preprocessing, frames: LabelledFrames
) -> Probabilities:
    """Probabilities (N, A) float32 of labelled frames.

    Raises:
        ManifestError: If they are not finite.
        MediaError: If a picture cannot be decoded or has another size.
    """
    found = predict_units(model, preprocessing, frames)
    if not np.isfinite(found).all():
        raise ManifestError(
            f"predictions of {trained.name} are not finite", "train it again: fgbench train au --force"
        )
    return found


def _folder_of(clip_id: str, prefixes: Sequence[str]) -> int:
    """Place of the data set whose name a clip bears; the longest that fits."""
    fits = [at for at, prefix in enumerate(prefixes) if clip_id.startswith(prefix)]
    if not fits:
        raise ManifestError(
            f"clip {clip_id!r} bears the name of none of the run's data sets", "run fgbench train au again"
        )
    return max(fits, key=lambda at: len(prefixes[at]))
