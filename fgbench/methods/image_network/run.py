"""A run of any image network: from the image set of a work folder to weights, predictions and scores.

Writes, beside what `fgbench.runs.results` does, ``weights.safetensors``, ``history.json``, ``log/`` and
``README.md`` into the folder of the run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from fgbench.config import ImageNetworkConfig
from fgbench.files.hashing import digest_json
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.soft_targets import targets_of
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.image_roles import open_image_roles, open_images
from fgbench.methods._networks.run_end import write_trained
from fgbench.methods.image_network.task import ClassTask, predict_faces
from fgbench.models.initialisation import initialise
from fgbench.models.weights import save_weights
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.training_details import TRAINING_CROPS
from fgbench.runs.vote_shares import target_details
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.training.randomness import generator
from fgbench.workfolders.layout import WEIGHTS

Config = TypeVar("Config", bound=ImageNetworkConfig)

Build = Callable[[Config, int], nn.Module]
"""Builds the network of a recipe for a number of classes: normalised RGB faces, float32 (B, 3, 224, 224), to
logits (B, K)."""


def run(
    config: Config,
    context: TrainingContext,
    *,
    kind: str,
    build: Build[Config],
    first_values: Callable[[nn.Module, int], None] | None = None,
) -> Path:
    """Train, choose the epoch on validation images, predict the test images.

    Args:
        config: The recipe.
        context: Context of the run, with its fold.
        kind: Name of the method's module, whose ``open_trained`` opens the weights.
        build: Builds the network.
        first_values: Gives a network its first values from the seed; ``None`` draws them by
            :func:`fgbench.models.initialisation.initialise`, which replaces torch's.

    Returns:
        Folder of the run.

    Raises:
        ConfigError: If training diverges, or an unfinished run is that of another recipe.
        DatasetError: If a part has no images, a class no training images, or there are no votes to learn
            from.
        ManifestError: If manifests are missing or damaged.
        MediaError: If a picture cannot be decoded or has another size.
        ResourceError: If memory or disk are full.
        TypeError: If a layer has parameters that ``initialise`` does not support.
    """
    context = context.learning_from(config.losses.target, config.name)
    plain = config.model_dump(mode="json")
    folder = context.folder(config.name)
    with memory_explained():
        data = open_image_roles(
            context,
            lambda samples: open_images(context, samples, resident_mb=config.data.resident_mb),
            copies=config.data.copies,
        )
        preprocessing = Preprocessing.fitted(data.train.images, config.data.resize_px)
        model = build(config, len(context.labels.labels))
        if first_values is None:
            initialise(model, generator(context.seed, "weights"))
        else:
            first_values(model, context.seed)
        model.to(context.device)
        metadata: dict[str, Any] = {
            "kind": kind,
            "experiment": config.name,
            "seed": context.seed,
            "dataset": context.details["dataset"],
            "synthetic": context.details["synthetic"],
            **context.labels.described(),
            "basic": [],
            "network": plain,
            **preprocessing.plain(),
            FACE_ORIGIN: context.details.get(FACE_ORIGIN),
        }

        def finish(history: History) -> None:
            save_weights(folder / WEIGHTS, model.state_dict(), metadata)
            write_trained(
                context,
                data.roles,
                predict_faces(model, preprocessing, data.test.images),
                config=plain,
                history=history,
                metadata=metadata,
                details={
                    **context.details,
                    "manifest_digest": context.manifest_digest,
                    "method": config.method or config.name,
                    "kind": "image",
                    "recipe": config.name,
                    TRAINING_CROPS: config.data.crops,
                    **target_details(config.losses.target),
                    "n_train": len(data.train),
                    "n_selection": len(data.selection),
                },
            )

        fit_and_finish(
            ClassTask(
                model,
                config,
                preprocessing,
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
            fingerprint=digest_json([kind, plain, context.manifest_digest, context.seed, *context.identity]),
            settings=plain,
            finish=finish,
        )
    return folder
