"""Writing of a run of ``backbone``: head, picture of a prepared face, predictions, scores and model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fgbench.media.images import encode
from fgbench.methods._networks.model_card import model_card
from fgbench.methods._networks.trained_clips import write_trained_roles
from fgbench.methods.backbone.frozen import Floats
from fgbench.methods.backbone.head import PREFIX, Head
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.backbone.opened import KIND
from fgbench.methods.backbone.self_check import PICTURE, Checked
from fgbench.methods.insightface.wide_crops import wide_margin
from fgbench.models.weights import save_weights
from fgbench.naming import shown
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.results import write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.training_details import given_details
from fgbench.storage import write_bytes
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe
from fgbench.workfolders.layout import WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """A head and all that a run tells of it.

    Attributes:
        network: The network, with its input.
        name: Name of the network in tables.
        head: The classifier.
        head_name: Kind of the head, or ``"zero-shot"``.
        roles: The samples.
        labels: The classes of the head.
        checked: What the network was given.
        licence: Licence of the network, as the user states it.
        settings: All settings, with the experiment as ``name``.
        details: Details of the choice, or of the training.
        tensors: Tensors of the weights beside the head's, by name.
        metadata: Metadata of the weights on these.
    """

    network: Prepared
    name: str
    head: Head
    head_name: str
    roles: Roles
    labels: LabelSet
    checked: Checked
    licence: str | None
    settings: Mapping[str, Any]
    details: Mapping[str, Any]
    tensors: Mapping[str, torch.Tensor] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)


def about_network(network: Prepared, settings: Mapping[str, Any], *, wide_margin: float) -> dict[str, Any]:
    """Return the description of a network among the metadata of weights, see
    :class:`fgbench.methods.backbone.trained_head.NetworkAbout`.

    Args:
        network: The network, with its input.
        settings: The recipe, with ``output`` and ``pooling``.
        wide_margin: Margin of wider faces, as a share of the stored face's side.
    """
    frozen = network.frozen
    return {
        "format": frozen.format,
        "file": shown(frozen.path.resolve().name if frozen.format == "hf" else frozen.path.name),
        "sha256": frozen.digest,
        "output": settings.get("output", "auto"),
        "pooling": settings["pooling"],
        "reads": frozen.reads,
        "n_classes": len(frozen.classes),
        "arch": frozen.arch,
        "architecture": dict(frozen.architecture),
        "batch": network.batch,
        "wide_margin": wide_margin,
    }


def write_backbone(context: TrainingContext, outcome: Outcome, predicted_ND: Floats) -> Path:
    """Predict the test part and write the run.

    Args:
        context: Context of the run.
        outcome: The head.
        predicted_ND: Features of ``roles.predicted``.

    Returns:
        Folder of the run.

    Raises:
        ManifestError: If a probability is not finite, or manifests are damaged.
        ResourceError: If the folder cannot be written.
    """
    frozen, taken = outcome.network.frozen, outcome.network.taken
    experiment, roles = str(outcome.settings["name"]), outcome.roles
    features = torch.from_numpy(predicted_ND)
    decisions = outcome.head.decisions(features).numpy()
    probabilities = outcome.head.probabilities(features).numpy()
    folder = context.folder(experiment)
    margin = 0.0 if taken.crop == "stored" else wide_margin(context.workdir)
    about = about_network(outcome.network, outcome.settings, wide_margin=margin)
    metadata = {
        "kind": KIND,
        "experiment": experiment,
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        **outcome.labels.described(),
        "basic": [],
        "network": dict(outcome.settings),
        "backbone": about,
        "input": taken.plain(),
        "head": outcome.head.plain(),
        "licence": outcome.licence,
        "initial_weights": frozen.digest,
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
        **outcome.metadata,
    }
    save_weights(
        folder / WEIGHTS,
        {**{f"{PREFIX}{name}": value for name, value in outcome.head.tensors.items()}, **outcome.tensors},
        metadata,
    )
    write_bytes(folder / PICTURE, encode(outcome.checked.picture, "png", 0))
    write_trained_roles(folder, context, roles, None)
    return write_run(
        context.workdir,
        predictions_of(roles, decisions, probabilities, outcome.labels.labels),
        experiment=experiment,
        fold=context.fold,
        seed=context.seed,
        config=outcome.settings,
        manifest_digest=context.manifest_digest,
        device=describe(context.device),
        details={
            **context.details,
            "manifest_digest": context.manifest_digest,
            "method": f"{outcome.name}, {outcome.head_name}",
            "kind": "image",
            "recipe": experiment,
            **given_details(frozen.path, frozen.digest),
            "crops": taken.crop,
            **outcome.details,
            "backbone": {**about, "input": taken.words(), "licence": outcome.licence},
            "n_train": len(roles.train),
            "n_selection": len(roles.selection),
        },
        card=partial(model_card, metadata),
    )
