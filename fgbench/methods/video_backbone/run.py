"""A run of ``video-backbone``: a network of the user's, tried on the clips of a work folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from fgbench.config import VideoBackboneConfig
from fgbench.errors import DatasetError
from fgbench.files.hashing import digest_json
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods.backbone.asked import Asked, open_asked
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.head_choice import choose_head
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.backbone.opening import note_place
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.video_backbone.attention import AttentionTask, attention_of
from fgbench.methods.video_backbone.classifiers import ClipClassifier
from fgbench.methods.video_backbone.clip_features import ClipFeatures, check_clips, features_of_clips
from fgbench.methods.video_backbone.workfolder_clips import frames_of_clips
from fgbench.methods.video_backbone.written import Outcome, write_video_backbone
from fgbench.models.initialisation import initialise
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.samples import clips_of_all_classes
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.training.processes import write_once
from fgbench.training.randomness import generator


def run_video_backbone(config: VideoBackboneConfig, context: TrainingContext, asked: Asked) -> Path:
    """Run the baseline; see :func:`fgbench.methods.video_backbone.method.run`."""
    frozen = open_asked(asked, config, context)
    network = config.network or slug(frozen.name)
    ending = "attention" if config.pool == "attention" else config.head.kind
    plain = {
        **config.model_dump(mode="json"),
        "name": f"{config.name}-{network}-{ending}",
        "backbone": {
            "sha256": frozen.digest,
            "reads": frozen.reads,
            "arch": frozen.arch,
            "licence": asked.licence,
        },
    }
    folder = context.finished(plain["name"], plain)
    if folder is not None:
        return folder
    with memory_explained(), context.hold(plain["name"]):
        return _run(config, context, frozen, plain, network=network, licence=asked.licence)


def _run(
    config: VideoBackboneConfig,
    context: TrainingContext,
    frozen: Frozen,
    plain: Mapping[str, Any],
    *,
    network: str,
    licence: str | None,
) -> Path:
    window = frozen.window
    prepared = Prepared(
        frozen=frozen,
        taken=taken_of(config.input, frozen.stated, name=frozen.name),
        batch=config.batch,
        grey=bool((context.details.get(FACE_ORIGIN) or {}).get("grey")),
    )
    frames = frames_of_clips(context.manifests)
    roles = context.roles(
        clips_of_all_classes(context.manifests), protocol_name="clips", with_features=frames.keys()
    )
    if config.pool == "attention" and not roles.selection:
        raise DatasetError(
            "there are no validation clips, expected some to choose the epoch on",
            "give the part 'val' a weight in the recipe of fgbench prepare",
        )
    checked = check_clips(prepared, context, frames, window=window)
    for line in checked.lines:
        context.note(line)
    features = features_of_clips(prepared, context, frames, config.pieces, window=window)
    unfinished = Outcome(
        network=prepared,
        window=window,
        name=network,
        classifier=ClipClassifier(head=None, attention=None, device=context.device),
        roles=roles,
        checked=checked,
        licence=licence,
        settings=plain,
        details={"pool": config.pool},
        history=None,
        predicted={},
    )
    if config.pool == "attention":
        return _trained(config, context, features, unfinished)
    head, details = choose_head(
        config.head,
        context,
        roles,
        features.means,
        name=config.name,
        what="training clips",
        fewer="take fewer clips",
    )
    classifier = ClipClassifier(head=head, attention=None, device=context.device)
    outcome = replace(unfinished, classifier=classifier, details={**unfinished.details, **details})
    write_once(context.device, lambda: _write(context, outcome, features))
    return context.folder(str(plain["name"]))


def _trained(
    config: VideoBackboneConfig, context: TrainingContext, features: ClipFeatures, unfinished: Outcome
) -> Path:
    """Train attention, choose the epoch on validation clips, and write the run."""
    roles, plain, numbers = unfinished.roles, unfinished.settings, context.labels.numbers
    model = attention_of(
        config.attention, n_in=features.values.shape[1], n_classes=len(context.labels.labels)
    )
    initialise(model, generator(context.seed, "weights"))
    model.to(context.device)

    def finish(history: History) -> None:
        classifier = ClipClassifier(head=None, attention=model, device=context.device)
        _write(context, replace(unfinished, classifier=classifier, history=history), features)

    folder = context.folder(str(plain["name"]))
    fit_and_finish(
        AttentionTask(
            model,
            config.optimiser,
            features,
            train=roles.train,
            selection=roles.selection,
            labels=(
                [int(one) for one in numbers([sample.label for sample in roles.train])],
                [int(one) for one in numbers([sample.label for sample in roles.selection])],
            ),
            seed=context.seed,
            device=context.device,
        ),
        config.optimiser,
        context,
        folder,
        fingerprint=digest_json([plain, context.manifest_digest, context.seed, *context.identity]),
        settings=plain,
        finish=finish,
    )
    return folder


def _write(context: TrainingContext, outcome: Outcome, features: ClipFeatures) -> None:
    """Predict the validation and the test clips, and write the run."""
    classifier, roles = outcome.classifier, outcome.roles
    note_place(context.workdir, outcome.network.frozen)
    predicted = {
        "val": classifier.predict(features, roles.selection),
        "test": classifier.predict(features, roles.predicted),
    }
    write_video_backbone(context, replace(outcome, predicted=predicted))
