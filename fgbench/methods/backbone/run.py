"""A run of ``backbone``: a network of the user's, tried on a work folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.config import BackboneConfig
from fgbench.errors import ConfigError, MediaError
from fgbench.files.hashing import digest_file, hash_u64
from fgbench.files.regular_files import read_regular
from fgbench.inputs.manifest_pictures import image_ids
from fgbench.methods._networks.transfer_names import slug
from fgbench.methods._svm_run import require_plan
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.head import Head
from fgbench.methods.backbone.head_fitting import fit_head
from fgbench.methods.backbone.hf_safety import local_folder
from fgbench.methods.backbone.kept_features import Prepared, check_network, features_of
from fgbench.methods.backbone.opening import note_place, open_network
from fgbench.methods.backbone.taken import taken_of
from fgbench.methods.backbone.written import Outcome, write_backbone
from fgbench.methods.backbone.zero_shot import Untrained, at_level, by_texts, own_classes
from fgbench.methods.lbp_svm.choice import INNER_CV, Plan, plan_choice
from fgbench.runs.class_names import mapping_of_texts
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.roles import Roles
from fgbench.runs.samples import image_samples
from fgbench.training.context import TrainingContext
from fgbench.training.device import memory_explained
from fgbench.training.processes import write_once

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Options of the user, as of :func:`fgbench.methods.backbone.method.run`."""

    onnx: Path | None
    hf: str | None
    download: bool
    zero_shot: bool
    classes: Path | None
    mapping: tuple[str, ...]
    prompts: Path | None
    licence: str | None


def run_backbone(config: BackboneConfig, context: TrainingContext, asked: Asked) -> Path:
    """Run the baseline; see :func:`fgbench.methods.backbone.method.run`."""
    path = asked.onnx if asked.onnx is not None else local_folder(str(asked.hf), download=asked.download)
    frozen = open_network(
        path,
        format_="hf" if asked.onnx is None else "onnx",
        device=context.device,
        output=config.output,
        pooling=config.pooling,
        classes=() if asked.classes is None else read_names(asked.classes),
    )
    network = config.network or slug(frozen.name)
    ending: str = config.head.kind
    if asked.zero_shot:
        ending = "zero-shot-six" if config.level == "six" else "zero-shot"
    plain = {
        **config.model_dump(mode="json"),
        "name": f"{config.name}-{network}-{ending}",
        "backbone": {
            "sha256": frozen.digest,
            "reads": frozen.reads,
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


def read_names(path: Path) -> list[str]:
    """Return names of classes in a file: one a line, or a JSON list.

    Raises:
        ConfigError: If it is missing or holds none.
    """
    try:
        text = read_regular(path, max_bytes=_MOST_BYTES).decode("utf-8-sig")
        names = json.loads(text) if text.lstrip().startswith("[") else text.splitlines()
    except (MediaError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"cannot read names of classes in {path}", "name a text file with one a line, or a JSON list"
        ) from error
    listed = [name.strip() for name in names if isinstance(name, str) and name.strip()]
    if len(listed) < 2:
        raise ConfigError(
            f"{path} names {len(listed)} classes, expected two or more", "one a line, or a JSON list"
        )
    return listed


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
        head, details = _fitted(config, context, prepared, roles)
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


def _fitted(
    config: BackboneConfig, context: TrainingContext, network: Prepared, roles: Roles
) -> tuple[Head, dict[str, Any]]:
    """Return the fitted head, and the details of its choice."""
    svm = config.head.svm(config.name)
    plan = plan_choice(svm, roles, context.division)
    pool = features_of(network, context, plan.pool)
    _require_memory(config, plan, width=pool.shape[1])
    fitted = fit_head(
        config.head,
        pool,
        context.labels.numbers([sample.label for sample in plan.pool]),
        plan,
        labels=context.labels.labels,
        seed=hash_u64("landmarks", context.seed) % 2**32,
        jobs=context.jobs,
    )
    details: dict[str, Any] = {
        "chosen": {"uar": fitted.best.uar, **fitted.best.parameters},
        "trials": [{"uar": trial.uar, **trial.parameters} for trial in fitted.trials],
        "selection": plan.selection,
        "n_fitted": plan.n_final,
    }
    if plan.selection == INNER_CV:
        protocol = context.details.get("protocol")
        replaced = {"protocol": {**protocol, "select_on": INNER_CV}} if protocol else {}
        details |= {"inner_folds": len(plan.folds), **replaced}
    return fitted.head, details


def _require_memory(config: BackboneConfig, plan: Plan, *, width: int) -> None:
    """Refuse kernels that memory has no room for, before any is computed."""
    if not config.head.kind.endswith("svm"):
        return
    svm, n = config.head.svm(config.name), len(plan.pool)
    exact = svm.solver_for(plan.n_final) == "exact"
    needed = 4 * width * n + (12 * n**2 if exact else 4 * n * (width + 2 * svm.landmarks))
    require_plan(
        needed,
        svm,
        n=plan.n_final,
        what="training images",
        fewer="take copies: false in the recipe",
        pair_bytes=12,
    )
