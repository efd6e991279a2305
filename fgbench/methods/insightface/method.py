"""Baseline ``insightface``: a network for face recognition, fine-tuned on the image set (paper section V-C).

IResNet-50 or -100 with weights that the user brings (InsightFace's own are for non-commercial research), or
from random values. Takes 112 x 112 crops aligned by five points, see
:mod:`fgbench.methods.insightface.crops`. Writes, beside what `fgbench.runs.results` does,
``weights.safetensors``, ``history.json``, ``log/`` and ``README.md`` into the folder of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fgbench.config import InsightFaceConfig
from fgbench.errors import ConfigError, DependencyError
from fgbench.files.hashing import digest_json
from fgbench.inputs.image_set import class_targets
from fgbench.inputs.resident import Resident
from fgbench.inputs.soft_targets import targets_of
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.image_roles import ImageRoles, open_image_roles
from fgbench.methods._networks.initial_weights import digest_weights
from fgbench.methods._networks.run_end import write_trained
from fgbench.methods.insightface.crops import load_crops
from fgbench.methods.insightface.features import keep_features
from fgbench.methods.insightface.task import (
    GREY,
    FaceSet,
    FaceTask,
    See,
    predict_classes,
    see_crops,
    see_features,
)
from fgbench.methods.insightface.wide_crops import load_wide_crops, wide_margin
from fgbench.models.initialisation import initialise
from fgbench.models.iresnet import INPUT_PX, FaceHead, IResNet, IResNetClassifier, iresnet
from fgbench.models.weights import load_into, load_weights, save_weights
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.results import read_result
from fgbench.runs.samples import Sample
from fgbench.runs.training_details import given_details
from fgbench.runs.vote_shares import target_details
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.training.randomness import generator
from fgbench.workfolders.layout import WEIGHTS

RECIPE = InsightFaceConfig
DEVICE = True
NEEDS = ("wide_faces",)
"""Stages of features that have to be enabled; with ``crops: stored`` none."""

OPTIONS = {
    "weights": ("file", "Backbone to fine-tune: InsightFace's backbone.pth."),
    "from_scratch": ("flag", "Train the backbone from random values instead."),
}
"""Options of the command beside those of all runs."""

SCRATCH = "-from-scratch"
"""Suffix of the names of experiments without weights."""

_ONE_CROP = "InsightFace: trained on one crop per image and its mirror image, without crops of the corners"
_STORED = (
    "InsightFace: crops cut from the stored faces; a fifth of each lies outside and repeats their border"
)


def check_options(*, weights: Path | None, from_scratch: bool) -> str:
    """Refuse options that do not go together; return the name of the small recipe for them.

    Raises:
        ConfigError: If there are weights, and they are not wanted.
        DependencyError: If weights are wanted, and there are none.
    """
    if from_scratch and weights is not None:
        raise ConfigError("from_scratch and weights are both given, expected one of them", "leave one out")
    if not from_scratch and weights is None:
        raise DependencyError(
            "insightface fine-tunes a backbone, which does not come with fgbench, and no weights are given",
            "download backbone.pth of an IResNet-50 from the model zoo of arcface_torch "
            "(github.com/deepinsight/insightface; for non-commercial research only) and name it: --weights "
            "FILE; or train without: --from-scratch (on the embedded data set: a small network). In Python: "
            "weights=..., from_scratch=True",
        )
    # The small one with weights freezes its backbone, which is no use for random values.
    return f"insightface-small{SCRATCH}" if from_scratch else "insightface-small"


def needs(config: InsightFaceConfig, weights: Path | None) -> tuple[str, ...]:
    """Return the stages of features that a recipe needs; refuse to freeze a backbone of random values.

    Raises:
        ConfigError: If there are no weights, and the backbone is to be frozen.
    """
    if weights is None:
        config.check_trainable()
    return NEEDS if config.crops == "wide" else ()


def run(config: InsightFaceConfig, context: TrainingContext, weights: Path | None) -> Path:
    """Fine-tune, choose the epoch on validation images, predict the test images.

    Args:
        config: The recipe.
        context: Context of the run.
        weights: Weights of the backbone, named as in arcface_torch; ``None`` trains from random values, as
            another experiment, which is not in Table II.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If training diverges, an unfinished run is that of another recipe, or a backbone without
            weights is to be frozen.
        DatasetError: If a part has no images, a class no training images, or there are no votes to learn
            from.
        ManifestError: If manifests or weights are missing or damaged, or weights do not fit.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full, or another process makes the run.
    """
    if weights is None:
        config.check_trainable()
        name = config.name.removesuffix(SCRATCH)
        changes = {"name": f"{name}{SCRATCH}", "method": f"{config.method}, from scratch"}
        config = config.model_copy(update=changes)
    context = context.learning_from(config.losses.target, config.name)
    details = {
        **context.details,
        "manifest_digest": context.manifest_digest,
        "method": config.method,
        "kind": "image",
        "recipe": config.name,
        **given_details(weights, None if weights is None else digest_weights(weights)),
        "crops": config.crops,
        **target_details(config.losses.target),
        "notes": [_ONE_CROP, *([_STORED] if config.crops == "stored" else [])],
    }
    folder = context.finished(config.name, config.model_dump(mode="json"))
    if folder is not None:
        if read_result(folder)["details"].get("weights") == details["weights"]:
            return folder
        context.note(f"{folder} started from other weights: the run is made again")
    with memory_explained(), context.hold(config.name):
        return _run(config, context, weights, details)


def build(config: InsightFaceConfig, weights: Path | None, *, seed: int, n_classes: int) -> IResNetClassifier:
    """Build the network of a recipe with its initial values: those of the file, and the rest drawn.

    Raises:
        ManifestError: If the file is missing, damaged, or of another network.
    """
    backbone: IResNet = iresnet(config.depth, config.width)
    head = FaceHead(
        n_classes,
        kind=config.head,
        scale=config.arcface_scale,
        margin=config.arcface_margin,
    )
    initialise(head, generator(seed, "weights"))
    if weights is None:
        initialise(backbone, generator(seed, "backbone"))
    else:
        state, _ = load_weights(weights)
        load_into(backbone, state, origin=str(weights))
    model = IResNetClassifier(backbone, head)
    model.to(memory_format=torch.channels_last)  # a fifth faster on a CPU
    return model


def _open(config: InsightFaceConfig, context: TrainingContext) -> ImageRoles[FaceSet]:
    def opened(samples: Sequence[Sample]) -> FaceSet:
        ids = [sample.sample_id for sample in samples]
        labels, _ = class_targets([sample.label for sample in samples], context.labels)
        load = load_wide_crops if config.crops == "wide" else load_crops
        crops = load(
            context.manifests, ids, device=context.device, jobs=context.jobs, progress=context.progress
        )
        return FaceSet(sample_ids=ids, labels=labels.to(context.device), inputs=Resident(crops))

    return open_image_roles(context, opened, copies=config.copies)


def _run(
    config: InsightFaceConfig, context: TrainingContext, weights: Path | None, details: Mapping[str, Any]
) -> Path:
    plain = config.model_dump(mode="json")
    n_classes = len(context.labels.labels)
    model = build(config, weights, seed=context.seed, n_classes=n_classes).to(context.device)
    data = _open(config, context)
    fingerprint = digest_json(
        [plain, context.manifest_digest, context.seed, details["weights"], *context.identity]
    )
    folder = context.folder(config.name)
    metadata = {
        "kind": "insightface",
        "experiment": config.name,
        "seed": context.seed,
        "dataset": context.details["dataset"],
        "synthetic": context.details["synthetic"],
        **context.labels.described(),
        "depth": config.depth,
        "head": config.head,
        "arcface_scale": config.arcface_scale,
        "input_px": INPUT_PX,
        "mean": list(GREY),
        "std": list(GREY),
        "crops": config.crops,
        **({"wide_margin": wide_margin(context.workdir)} if config.crops == "wide" else {}),
        "freeze_backbone": config.freeze_backbone,
        "initial_weights": details["weights"],
        FACE_ORIGIN: context.details.get(FACE_ORIGIN),
    }

    train, selection, test = data.train, data.selection, data.test
    trained: IResNetClassifier | FaceHead = model
    see: See = see_crops
    if config.freeze_backbone:
        trained, see = model.head, see_features
        backbone = model.backbone.eval()
        train = keep_features(backbone, train, context, flip=config.flip)
        selection = keep_features(backbone, selection, context, flip=False)
        test = keep_features(backbone, test, context, flip=False)

    def finish(history: History) -> None:
        model.eval()
        save_weights(folder / WEIGHTS, model.state_dict(), metadata)
        write_trained(
            context,
            data.roles,
            predict_classes(trained, see, test.inputs),
            config=plain,
            history=history,
            metadata=metadata,
            details={**details, "n_train": len(train), "n_selection": len(selection)},
        )

    fit_and_finish(
        FaceTask(
            trained,
            config,
            see,
            train=train,
            selection=selection,
            soft=targets_of(
                config.losses.target, context.manifests, data.roles.train, context.labels, context.device
            ),
            seed=context.seed,
        ),
        config.optimiser,
        context,
        folder,
        fingerprint=fingerprint,
        settings=plain,
        finish=finish,
    )
    return folder
