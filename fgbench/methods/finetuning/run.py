"""A run of ``backbone --finetune``: a network of the user's, trained on with a head, on a work folder.

Writes, beside what a frozen network's run does, ``history.json`` and ``log/`` into the folder of the run; its
``weights.safetensors`` hold the head and what was trained of the network.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

from fgbench.config import BackboneConfig
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_json
from fgbench.methods._networks.fitting import fit_and_finish
from fgbench.methods._networks.image_roles import open_image_roles
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods.backbone.asked import Asked, open_asked
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.kept_features import Prepared, check_network, features_of
from fgbench.methods.backbone.opening import note_place
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.methods.backbone.written import Outcome, write_backbone
from fgbench.methods.finetuning.about import ABOUT, PREFIX
from fgbench.methods.finetuning.choice import Choice, read_choice
from fgbench.methods.finetuning.network import Tuned, tuned
from fgbench.methods.finetuning.put_back import finished
from fgbench.methods.finetuning.task import FinetuneTask, open_faces
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.history import History
from fgbench.training.loop import CHECKPOINT

_HEADS_ALONE = ("head", "level", "output")
"""Keys of the recipe that are of no use here."""


def run_finetuned(config: BackboneConfig, context: TrainingContext, asked: Asked, finetune: str) -> Path:
    """Train, choose the epoch on validation images, predict the test images.

    Args:
        config: The recipe.
        context: Context of the run.
        asked: Options of the user.
        finetune: ``"all"``, ``"last-N"`` or ``"lora"``.

    Returns:
        Folder of the run.

    Raises:
        FgbenchError: See :func:`fgbench.methods.backbone.method.run`.
    """
    choice = read_choice(finetune)
    frozen = open_asked(asked, config, context)
    if not isinstance(frozen.runs, TorchRuns) or frozen.window or asked.zero_shot:
        raise ConfigError(
            f"finetune and {frozen.name}, expected a network of pictures of a folder or a file of torch, "
            "without zero_shot",
            "leave --finetune out, or name the network by --hf or --torch",
        )
    network = config.network or slug(frozen.name)
    settings = {
        key: value for key, value in config.model_dump(mode="json").items() if key not in _HEADS_ALONE
    }
    plain = {
        **settings,
        "name": f"{config.name}-{network}-finetuned-{choice.name}",
        "backbone": {
            "sha256": frozen.digest,
            "reads": frozen.reads,
            "arch": frozen.arch,
            "finetune": choice.name,
            "licence": asked.licence,
        },
    }
    folder = context.finished(plain["name"], plain)
    if folder is not None:
        return folder
    with memory_explained(), context.hold(plain["name"]):
        return _run(config, context, frozen, choice, plain, name=network, licence=asked.licence)


def _run(
    config: BackboneConfig,
    context: TrainingContext,
    frozen: Frozen,
    choice: Choice,
    plain: Mapping[str, Any],
    *,
    name: str,
    licence: str | None,
) -> Path:
    prepared = Prepared(
        frozen=frozen,
        taken=taken_of(config.input, frozen.stated, name=frozen.name),
        batch=config.batch,
        grey=bool((context.details.get(FACE_ORIGIN) or {}).get("grey")),
    )
    checked = check_network(prepared, context)
    side = prepared.taken.size_px
    model = tuned(
        frozen,
        choice,
        config.finetune,
        torch.zeros(1, 3, side, side),
        n_classes=len(context.labels.labels),
        seed=context.seed,
    )
    for line in (*checked.lines, _told(model, frozen, choice)):
        context.note(line)
    opened = partial(open_faces, context, crop=prepared.taken.crop, resident_mb=config.finetune.resident_mb)
    # Of the test images crops are read when they are predicted.
    data = open_image_roles(context, lambda samples: partial(opened, samples), copies=config.copies)
    folder = context.folder(str(plain["name"]))

    def finish(history: History) -> None:
        after, state, about = finished(model, frozen)
        network = Prepared(frozen=after, taken=prepared.taken, batch=config.batch, grey=prepared.grey)
        outcome = Outcome(
            network=network,
            name=name,
            head=model.classifier(),
            head_name=choice.words,
            roles=data.roles,
            labels=context.labels,
            checked=checked,
            licence=licence,
            settings=plain,
            details={
                ABOUT: choice.name,
                "best_epoch": history.best_epoch,
                "best_score": history.best_score,
                "n_epochs": len(history.epochs),
            },
            tensors={f"{PREFIX}{key}": value for key, value in state.items()},
            metadata={ABOUT: about.model_dump(mode="json")},
        )
        note_place(context.workdir, frozen)
        write_backbone(context, outcome, features_of(network, context, data.roles.predicted))
        (folder / CHECKPOINT).unlink(missing_ok=True)

    fit_and_finish(
        FinetuneTask(
            model,
            config.finetune,
            prepared,
            train=data.train(),
            selection=data.selection(),
            seed=context.seed,
        ),
        config.finetune.optimiser,
        context,
        folder,
        fingerprint=digest_json([plain, context.manifest_digest, context.seed, *context.identity]),
        settings=plain,
        finish=finish,
    )
    return folder


def _told(model: Tuned, frozen: Frozen, choice: Choice) -> str:
    """Return the sentence on what trains."""
    network, head = (sum(one.numel() for one in part) for part in model.parts())
    whole = sum(one.numel() for one in model.network.parameters())
    return (
        f"fine-tuning {choice.name}: {network:,} of {whole:,} numbers of {frozen.name} train, and {head:,} "
        "of the head"
    )
