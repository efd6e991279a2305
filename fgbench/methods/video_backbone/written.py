"""Writing of a run of ``video-backbone``: classifier, predictions, scores and model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fgbench.media.images import encode
from fgbench.methods._networks.model_card import model_card
from fgbench.methods._networks.run_end import write_trained
from fgbench.methods._networks.trained_clips import write_trained_roles
from fgbench.methods.backbone.head import PREFIX
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.backbone.self_check import PICTURE, Checked
from fgbench.methods.backbone.written import about_network
from fgbench.methods.video_backbone.classifiers import SPATIAL, ClipClassifier, PredictedClips
from fgbench.methods.video_backbone.opened import ATTENTION, KIND
from fgbench.methods.video_backbone.outcome import write_outcome
from fgbench.models.weights import save_weights
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.results import write_run
from fgbench.runs.roles import Roles, predictions_of
from fgbench.runs.training_details import given_details
from fgbench.storage import write_bytes
from fgbench.training.context import TrainingContext
from fgbench.training.device import describe
from fgbench.training.history import History
from fgbench.workfolders.layout import WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """A classifier and all that a run tells of it.

    Attributes:
        network: The network, with its input.
        window: Frames that it takes at once; 0: a network of pictures.
        name: Name of the network in tables.
        classifier: The classifier.
        roles: The clips.
        checked: What the network was given.
        licence: Licence of the network, as the user states it.
        settings: All settings, with the experiment as ``name``.
        details: Details of the choice.
        history: The training of attention; ``None`` of a head.
        predicted: Predictions by part, ``"val"`` and ``"test"``.
    """

    network: Prepared
    window: int
    name: str
    classifier: ClipClassifier
    roles: Roles
    checked: Checked
    licence: str | None
    settings: Mapping[str, Any]
    details: Mapping[str, Any]
    history: History | None
    predicted: Mapping[str, PredictedClips]


def write_video_backbone(context: TrainingContext, outcome: Outcome) -> Path:
    """Write the run.

    Returns:
        Folder of the run.

    Raises:
        ManifestError: If a probability is not finite, or manifests are damaged.
        ResourceError: If the folder cannot be written.
    """
    network, settings, roles = outcome.network, outcome.settings, outcome.roles
    frozen, experiment = network.frozen, str(settings["name"])
    folder = context.folder(experiment)
    about = about_network(network, settings, wide_margin=0.0)
    metadata = _metadata(context, outcome, about)
    save_weights(folder / WEIGHTS, _state(outcome.classifier), metadata)
    write_bytes(folder / PICTURE, encode(outcome.checked.picture, "png", 0))
    write_outcome(folder, outcome.predicted, context.labels.labels)
    probabilities = outcome.predicted["test"].probabilities
    details = {
        **context.details,
        "manifest_digest": context.manifest_digest,
        "method": f"{outcome.name}, {_told(settings)}",
        "kind": "video",
        "recipe": experiment,
        "streams": [SPATIAL],
        **given_details(frozen.path, frozen.digest),
        "crops": network.taken.crop,
        **outcome.details,
        "backbone": {**about, "input": network.taken.words(), "licence": outcome.licence},
        "n_train": len(roles.train),
        "n_selection": len(roles.selection),
    }
    if outcome.history is not None:
        return write_trained(
            context,
            roles,
            probabilities,
            config=settings,
            history=outcome.history,
            metadata=metadata,
            details=details,
        )
    write_trained_roles(folder, context, roles, None)
    return write_run(
        context.workdir,
        predictions_of(roles, probabilities, probabilities, context.labels.labels),
        experiment=experiment,
        fold=context.fold,
        seed=context.seed,
        config=settings,
        manifest_digest=context.manifest_digest,
        device=describe(context.device),
        details=details,
        card=partial(model_card, metadata),
    )


def _metadata(context: TrainingContext, outcome: Outcome, about: Mapping[str, Any]) -> dict[str, Any]:
    settings, head = outcome.settings, outcome.classifier.head
    attention = outcome.classifier.attention
    return {
        "kind": KIND,
        "experiment": settings["name"],
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        **context.labels.described(),
        "basic": [],
        "network": dict(settings),
        "backbone": about,
        "input": outcome.network.taken.plain(),
        "pieces": {**settings["pieces"], "window": outcome.window},
        "head": None if head is None else head.plain(),
        "attention": (
            None if attention is None else {**settings["attention"], "n_in": outcome.checked.n_features}
        ),
        "licence": outcome.licence,
        "initial_weights": outcome.network.frozen.digest,
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
    }


def _state(classifier: ClipClassifier) -> dict[str, Any]:
    if classifier.head is not None:
        return {f"{PREFIX}{name}": value for name, value in classifier.head.tensors.items()}
    assert classifier.attention is not None
    return {f"{ATTENTION}{name}": value for name, value in classifier.attention.state_dict().items()}


def _told(settings: Mapping[str, Any]) -> str:
    return "attention" if settings["pool"] == "attention" else f"mean, {settings['head']['kind']}"
