"""A run of ``backbone``: a network of the user's, tried on a work folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench.config import BackboneConfig
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_file
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods.backbone.asked import Asked, open_asked
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.head_choice import choose_head
from fgbench.methods.backbone.kept_features import Prepared, check_network, features_of
from fgbench.methods.backbone.opening import note_place
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.backbone.written import Outcome, write_backbone
from fgbench.methods.backbone.zero_shot import Untrained, by_texts, own_classes
from fgbench.runs.class_names import mapping_of_texts
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.levels import at_level
from fgbench.runs.samples import image_samples
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.processes import write_once


def run_backbone(config: BackboneConfig, context: TrainingContext, asked: Asked) -> Path:
    """Run the baseline; see :func:`fgbench.methods.backbone.method.run`."""
    frozen = open_asked(asked, config, context)
    if frozen.window:
        raise ConfigError(
            f"{frozen.name} takes videos of {frozen.window} frames, expected a network of pictures",
            "classify clips with it: fgbench baseline video-backbone",
        )
    network = config.network or slug(frozen.name)
    ending: str = config.head.kind
    if asked.zero_shot:
        ending = "zero-shot-six" if config.level == "six" else "zero-shot"
    plain = {
        **config.model_dump(mode="json", exclude={"finetune"}),
        "name": f"{config.name}-{network}-{ending}",
        "backbone": {
            "sha256": frozen.digest,
            "reads": frozen.reads,
            "arch": frozen.arch,
            "zero_shot": asked.zero_shot,
            "classes": list(frozen.classes),
            "map": list(asked.mapping),
            "prompts_sha256": None if asked.prompts is None else _digest(asked.prompts),
            "licence": asked.licence,
        },
    }
    folder = context.finished(plain["name"], plain)
    if folder is not None:
        return folder
    with memory_explained(), context.hold(plain["name"]):
        return _run(config, context, frozen, asked, plain, network=network)


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}", "name a YAML file of sentences") from error


def _run(
    config: BackboneConfig,
    context: TrainingContext,
    frozen: Frozen,
    asked: Asked,
    plain: Mapping[str, Any],
    *,
    network: str,
) -> Path:
    taken = taken_of(config.input, frozen.stated, name=frozen.name)
    grey = bool((context.details.get(FACE_ORIGIN) or {}).get("grey"))
    copies = config.copies and not asked.zero_shot
    every = [one for one in image_samples(context.manifests) if copies or not one.is_copy]
    roles = context.roles(every, protocol_name="images", with_features=image_ids(context.manifests))
    labels, untrained = context.labels, None
    if asked.zero_shot:
        untrained = _untrained(config, context, frozen, asked)
        frozen, labels = untrained.frozen, untrained.labels(context.labels)
    prepared = Prepared(frozen=frozen, taken=taken, batch=config.batch, grey=grey)
    checked = check_network(prepared, context)
    for line in checked.lines:
        context.note(line)
    details: dict[str, Any] = {}
    if untrained is not None:
        roles, details["dropped"] = at_level(roles, untrained.level)
        head = untrained.head
        details |= {"level": untrained.level.name, "notes": list(untrained.notes)}
    else:
        head, details = choose_head(
            config.head,
            context,
            roles,
            lambda samples: features_of(prepared, context, samples),
            name=config.name,
        )
    outcome = Outcome(
        network=prepared,
        name=network,
        head=head,
        head_name="zero-shot" if untrained is not None else config.head.kind,
        roles=roles,
        labels=labels,
        checked=checked,
        licence=asked.licence,
        settings=plain,
        details=details,
    )
    predicted = features_of(prepared, context, roles.predicted)

    def write() -> None:
        note_place(context.workdir, frozen)
        write_backbone(context, outcome, predicted)

    write_once(context.device, write)
    return context.folder(str(plain["name"]))


def _untrained(config: BackboneConfig, context: TrainingContext, frozen: Frozen, asked: Asked) -> Untrained:
    if frozen.tells_texts:
        if asked.mapping:
            raise ConfigError(
                f"{frozen.name} compares faces with sentences and has no classes, but map names some",
                "leave --map out; sentences of your own: --prompts FILE",
            )
        return by_texts(frozen, context.labels, level=config.level, prompts=asked.prompts)
    if asked.prompts is not None or config.level != "data":
        raise ConfigError(
            f"{frozen.name} takes pictures alone, expected pictures and texts for sentences or level: six",
            "leave --prompts and level out: its own classes are scored",
        )
    return own_classes(frozen, context.labels, mapping_of_texts(asked.mapping))
