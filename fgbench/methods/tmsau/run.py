"""A run of a clip network: from the clips of a work folder to weights, predictions and scores.

Writes, beside what `fgbench.runs.results` does, ``weights.safetensors``, ``streams.parquet`` and
``attention.parquet`` (`fgbench.runs.streams`), ``history.json``, ``log/`` and ``README.md`` into the
folder of the run. The weights hold the image model too, so that they classify both images and clips.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.config import TrainClipConfig
from fgbench.errors import ConfigError, DatasetError
from fgbench.files.hashing import digest_json
from fgbench.inputs.clip_set import clip_frames
from fgbench.inputs.soft_targets import targets_of
from fgbench.methods._networks.chain import chain_of, drawn_start
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.initial_weights import digest_weights
from fgbench.methods._networks.overlap import start_details
from fgbench.methods._networks.run_end import write_trained
from fgbench.methods.action_units.pseudo_labels import pseudo_metadata, pseudo_trained
from fgbench.methods.msau.opened import ImageNetwork, open_network
from fgbench.methods.tmsau.data import OpenClips, open_clips
from fgbench.methods.tmsau.flow_origin import FLOW_ORIGIN, flow_of
from fgbench.methods.tmsau.inputs import Scale
from fgbench.methods.tmsau.network import build_drawn, settings
from fgbench.methods.tmsau.opened import with_image_model
from fgbench.methods.tmsau.outcome import write_clip_outcome
from fgbench.methods.tmsau.task import ClipTask, predict_clips
from fgbench.models.tmsau import TmsauNet
from fgbench.models.weights import save_weights
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.results import read_result
from fgbench.runs.roles import Roles
from fgbench.runs.samples import clips_of_all_classes
from fgbench.runs.training_details import TRAINING_CROPS, given_details
from fgbench.runs.vote_shares import target_details
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.workfolders.layout import WEIGHTS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Data:
    """Clips of a work folder by role, opened for the streams."""

    roles: Roles
    train: OpenClips
    selection: OpenClips
    test: OpenClips
    scales: Mapping[str, Scale]


def run(
    config: TrainClipConfig, context: TrainingContext, image: Trained | None, weights: Path | None = None
) -> Path:
    """Train, choose the epoch on validation clips, predict the test clips.

    Args:
        config: The recipe.
        context: Context of the run.
        image: The image model that describes frames, if the recipe takes one; it is not trained.
        weights: Initial weights of convolutional networks, see
            :func:`fgbench.methods.tmsau.network.build_drawn`.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If training diverges, an unfinished run or the weights are of another recipe, or
            the image model was trained on test clips, or on faces of another geometry.
        DatasetError: If a part has no clips, a class no training clips, or there are no votes to learn from.
        ManifestError: If manifests or weights are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    context = context.learning_from(config.losses.target, config.name)
    if (image is None) != (config.image_recipe is None):
        raise ConfigError(
            f"recipe {config.name} {'needs' if config.image_recipe else 'takes no'} image model",
            "give a run of fgbench train msau with --image-run" if config.image_recipe else "give none",
        )
    if image is not None and image.metadata.get("backbone"):
        raise ConfigError(
            f"{image.name} is on a network of the user's (network.trunk: backbone), which weights of clips "
            "cannot hold, expected an image model on a trunk of fgbench's own",
            "name another run with --image-run, or use that network alone: fgbench baseline video-backbone",
        )
    face_notes = [] if image is None else refuse_other_faces(image, context)
    start = None if image is None else start_details(image, context)
    notes = [*face_notes, *([] if image is None else pseudo_trained(image.metadata))]
    if config.losses.basic and not context.labels.upper:
        config = config.model_copy(update={"losses": config.losses.without_basic()})
        notes.append(f"losses.basic taken as 0: label set {context.labels.name} has no upper classes")
    details = {
        **context.details,
        "manifest_digest": context.manifest_digest,
        "method": config.method,
        "kind": "video",
        "recipe": config.name,
        "streams": list(config.streams),
        "spatial": config.spatial,
        "temporal": config.temporal,
        "fusion_weight": config.fusion_weight if len(config.streams) > 1 else None,
        TRAINING_CROPS: config.data.crops,
        **target_details(config.losses.target),
        "losses_on": config.losses.on if len(config.streams) > 1 else None,
        "image_model": None if image is None else image.digest,
        "image_run": None if image is None else image.name,
        "start": start,
        "chain": chain_of(image),
        **given_details(weights, None if weights is None else digest_weights(weights)),
        "input_scale": None if weights is None else "published",
        FLOW_ORIGIN: flow_of(context.workdir) if config.temporal == "flow" else None,
        **({"notes": notes} if notes else {}),
    }
    instead = "--image-run takes an image model that does not"
    if warning := drawn_start(details["chain"], context.details, instead=instead):
        context.note(f"{config.name} {warning}")
    folder = context.finished(config.name, config.model_dump(mode="json"))
    if folder is not None:
        finished = read_result(folder)["details"]
        if all(finished.get(key) == details[key] for key in ("image_model", "weights", "input_scale")):
            return folder
        context.note(f"{folder} started from other weights: the run is made again")
    with memory_explained(), context.hold(config.name):
        return _run(config, context, image, weights, details)


def _run(
    config: TrainClipConfig,
    context: TrainingContext,
    image: Trained | None,
    weights: Path | None,
    details: Mapping[str, Any],
) -> Path:
    network = None if image is None else open_network(image, context.device)
    model = build_drawn(config, network, weights, seed=context.seed, labels=context.labels).to(context.device)
    data = _open(config, context, network, published=weights is not None)
    start_digests = [details["image_model"], details["weights"]]
    if weights is not None:
        start_digests.append(details["input_scale"])
    plain = config.model_dump(mode="json")
    folder = context.folder(config.name)
    fit_and_finish(
        ClipTask(
            model,
            config,
            train=data.train,
            selection=data.selection,
            soft=targets_of(
                config.losses.target, context.manifests, data.roles.train, context.labels, context.device
            ),
            seed=context.seed,
            device=context.device,
        ),
        config.optimiser,
        context,
        folder,
        fingerprint=digest_json(
            [plain, context.manifest_digest, context.seed, *start_digests, *context.identity]
        ),
        settings=plain,
        finish=lambda history: _finish(
            config, context, data, model, network, image, history=history, details=details
        ),
    )
    return folder


def _open(
    config: TrainClipConfig, context: TrainingContext, network: ImageNetwork | None, *, published: bool
) -> _Data:
    near = config.spatial == "rgb" and config.rgb.train_on == "image"
    frames = clip_frames(context.manifests, flow=config.temporal == "flow", near=near)
    roles = context.roles(
        clips_of_all_classes(context.manifests), protocol_name="clips", with_features=frames.clip_ids
    )
    if not roles.selection:
        raise DatasetError(
            "there are no clips to choose the epoch on", "give the part 'val' a weight in the recipe"
        )
    train, scales = open_clips(
        config,
        context,
        frames.clip_set(roles.train, context.labels, context.device),
        network,
        None,
        trained_on=True,
        published=published,
    )

    def opened(samples: Sequence[Any]) -> OpenClips:
        clips = frames.clip_set(samples, context.labels, context.device)
        return open_clips(config, context, clips, network, scales, trained_on=False)[0]

    return _Data(
        roles=roles,
        train=train,
        selection=opened(roles.selection),
        test=opened(roles.predicted),
        scales=scales,
    )


def _finish(
    config: TrainClipConfig,
    context: TrainingContext,
    data: _Data,
    model: TmsauNet,
    network: ImageNetwork | None,
    image: Trained | None,
    *,
    history: History,
    details: Mapping[str, Any],
) -> None:
    """Predict the validation and the test clips and write the run, its result last."""
    folder, labels = context.folder(config.name), context.labels.labels
    predicted = predict_clips(model, data.test)
    state, described = with_image_model(model.state_dict(), network)
    metadata = {
        "kind": "video",
        "experiment": config.name,
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        **context.labels.described(),
        "basic": list(context.labels.upper) if config.losses.basic else [],
        "network": settings(config),
        "scales": {
            name: {"mean": list(scale.mean), "std": list(scale.std)} for name, scale in data.scales.items()
        },
        "image": described,
        "initial_weights": details["weights"],
        FLOW_ORIGIN: details[FLOW_ORIGIN],
        **({} if image is None else pseudo_metadata(image.metadata)),
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
    }
    save_weights(folder / WEIGHTS, state, metadata)
    write_clip_outcome(
        folder,
        {"val": (data.selection, predict_clips(model, data.selection)), "test": (data.test, predicted)},
        labels,
    )
    fused = predicted.fused(config.fusion_weight)
    write_trained(
        context,
        data.roles,
        fused,
        config=config.model_dump(mode="json"),
        history=history,
        metadata=metadata,
        details={**details, "n_train": len(data.train), "n_selection": len(data.selection)},
        start=image,
    )
