"""Writing of a trained network's run, result last, after which its checkpoint is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fgbench.methods._networks.carried_units import write_carried_units
from fgbench.methods._networks.model_card import model_card
from fgbench.methods._networks.trained_clips import write_trained_roles
from fgbench.runs.results import write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe
from fgbench.training.history import History
from fgbench.training.loop import CHECKPOINT


def write_trained(
    context: TrainingContext,
    roles: Roles,
    probabilities: npt.NDArray[np.float32],
    *,
    config: Mapping[str, Any],
    history: History,
    metadata: Mapping[str, Any],
    details: Mapping[str, Any],
    start: Trained | None = None,
    unit_labels: Mapping[tuple[str, int], tuple[int, ...]] | None = None,
) -> Path:
    """Write predictions, result and model card of a trained network, and which clips it was trained on, and
    which labels of action units.

    Args:
        context: Context of the run, with its fold.
        roles: The samples; the probabilities are of ``roles.predicted``.
        probabilities: (N, K) float32.
        config: The recipe as plain values; ``name`` is the experiment's.
        history: The training.
        metadata: Metadata of the weights, for the card.
        details: More to keep with the result.
        start: Network that it started from, or that describes its frames.
        unit_labels: Clip and frame of the images that were trained on along with labels of action units, to
            those labels.

    Returns:
        The folder of the run.

    Raises:
        ConfigError: If the name cannot be that of a folder.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    experiment = str(config["name"])
    write_trained_roles(context.folder(experiment), context, roles, start)
    write_carried_units(
        context.folder(experiment),
        start,
        dataset=str(context.details["dataset"]),
        images=unit_labels or {},
    )
    folder = write_run(
        context.workdir,
        predictions_of(roles, probabilities, probabilities, context.labels.labels),
        experiment=experiment,
        fold=context.fold,
        seed=context.seed,
        config=config,
        manifest_digest=context.manifest_digest,
        device=describe(context.device),
        details={
            **details,
            "best_epoch": history.best_epoch,
            "best_score": history.best_score,
            "n_epochs": len(history.epochs),
        },
        card=partial(model_card, metadata),
    )
    (folder / CHECKPOINT).unlink(missing_ok=True)
    return folder
