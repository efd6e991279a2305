"""Frozen networks in files of torch: weights alone, for a network that is named.

Reads safetensors, or checkpoints as data (``weights_only``); what else a file holds is never run.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.methods.backbone.architectures import config_of, plain_architecture, stated_of
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.hf_folder import quiet, window_of
from fgbench.methods.backbone.hf_runs import DENSE_POOLER, Features, Logits
from fgbench.methods.backbone.torch_runs import TorchRuns, first_line
from fgbench.models.weights import check_fit, load_into, load_weights
from fgbench.naming import counted, first_few

_LEFT = re.compile(
    r"(?:fc|head|heads|head_dist|classifier|decoder|pooler|projector|predictor|mask_token)\d*\b"
)
"""Beginning of the names of parts that features do not come from, which a file may hold beside."""

_SPARE = 1 << 20
_SHOWN = 3


def open_torch(
    path: Path,
    device: torch.device,
    *,
    arch: str,
    settings: Mapping[str, Any],
    pooling: Literal["auto", "cls", "mean"],
) -> Frozen:
    """Open a file of weights.

    Args:
        path: ``.safetensors``, ``.pth``, ``.pt`` or ``.ckpt``.
        device: Device.
        arch: Name of the network, see :mod:`fgbench.methods.backbone.architectures`.
        settings: Section ``architecture`` of the recipe.
        pooling: As of the recipe.

    Raises:
        ConfigError: If there is no such network, or it takes no colour pictures alone.
        DependencyError: If a package is not installed.
        ManifestError: If the file is missing, damaged, refused, or does not fit the network.
    """
    plain = plain_architecture(arch, settings)
    config = config_of(arch, settings) if plain is None else None
    state = load_weights(path)[0]
    classifier: nn.Module | None
    if plain is not None:
        module, classifier, n_classes, left = _plain(plain.make, plain.classifier, state, origin=str(path))
        stated = dict(plain.stated)
    else:
        module, classifier, n_classes, left = _of_transformers(config, state, pooling, origin=str(path))
        stated = stated_of(config)
    for part in (module, classifier):
        if part is not None:
            part.to(device).eval().requires_grad_(False)
    told = " ".join(f"{key}={value}" for key, value in sorted(settings.items()))
    return Frozen(
        path=path,
        format="torch",
        name=path.stem,
        digest=digest_file(path),
        runs=TorchRuns(
            module=module, classifier=classifier, name=path.name, device=device, n_classes=n_classes
        ),
        stated=stated,
        classes=(),
        reads=", ".join([" ".join([arch, told]).strip(), *([] if plain else [f"pooling {pooling}"])]),
        window=0 if config is None else window_of(config),
        arch=arch,
        architecture=dict(settings),
        notes=[f"parts of {path.name} that are not of {arch}: {first_few(left, _SHOWN)}"] if left else [],
    )


def _plain(
    make: Any, classifier: str, state: Mapping[str, Tensor], *, origin: str
) -> tuple[nn.Module, nn.Module | None, int | None, list[str]]:
    """Return the module of features, that of classes if the file has one, their number, and other names."""
    try:
        with torch.device("meta"):
            wanted = make().state_dict()
    except (RuntimeError, ValueError, TypeError) as error:
        raise ConfigError(
            f"this network cannot be made: {first_line(error)}", "check section architecture of the recipe"
        ) from error
    prefix = prefix_of(state, list(wanted))
    below = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
    own = {name: value for name, value in below.items() if name in wanted or not _LEFT.match(name)}
    check_fit(make, own, origin=origin)
    module: nn.Module = make()
    load_into(module, own, origin=origin)
    left = [name for name in state if name.removeprefix(prefix) not in own or not name.startswith(prefix)]
    weight = below.get(f"{classifier}.weight") if classifier else None
    if weight is None or weight.ndim != 2 or weight.shape[1] != getattr(module, "n_features", 0):
        return module, None, None, left
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    bias = below.get(f"{classifier}.bias")
    load_into(
        layer,
        {"weight": weight, "bias": weight.new_zeros(len(weight)) if bias is None else bias},
        origin=origin,
    )
    return (
        module,
        nn.Sequential(module, layer),
        len(weight),
        [one for one in left if f"{classifier}." not in one],
    )


def prefix_of(state: Mapping[str, Tensor], wanted: Sequence[str]) -> str:
    """Return what stands before the names of a network in a file, e.g. ``"backbone."``; usually nothing.

    Args:
        state: Tensors by name.
        wanted: Names of the network, the first of which tells where it may be.
    """
    found = {"", *(name.removesuffix(wanted[0]) for name in state if name.endswith(f".{wanted[0]}"))}
    return max(sorted(found), key=lambda prefix: sum(f"{prefix}{name}" in state for name in wanted))


def _of_transformers(
    config: Any, state: Mapping[str, Tensor], pooling: str, *, origin: str
) -> tuple[nn.Module, nn.Module | None, int | None, list[str]]:
    """Return as :func:`_plain` does, of a network of transformers, which knows the names of its versions."""
    import transformers
    from transformers.models.auto.modeling_auto import (
        MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING,
        MODEL_MAPPING,
    )

    kind = MODEL_MAPPING[type(config)]
    kind = kind[0] if isinstance(kind, tuple) else kind
    n_classes = _classes_in(state)
    is_classifier = n_classes > 0 and type(config) in MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING
    if is_classifier:
        kind = MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING[type(config)]
        config.num_labels = n_classes
    _refuse_larger(kind, config, state, origin=origin)
    try:
        with quiet(transformers):
            model, about = kind.from_pretrained(
                None,
                config=config,
                state_dict=dict(state),
                dtype=torch.float32,
                output_loading_info=True,
                ignore_mismatched_sizes=True,
                local_files_only=True,
            )
    except Exception as error:
        raise ManifestError(
            f"the weights of {origin} do not fit {config.model_type}: {first_line(error)}", _OTHER
        ) from error
    missing = sorted(str(name) for name in about["missing_keys"] if DENSE_POOLER not in str(name))
    unexpected = sorted(map(str, about["unexpected_keys"]))
    base = f"{model.base_model_prefix}."
    strange = [name for name in unexpected if not _LEFT.match(name.removeprefix(base))]
    shapes = sorted(
        f"{name} {tuple(theirs)} instead of {tuple(ours)}" for name, theirs, ours in about["mismatched_keys"]
    )
    faults = (("missing", missing), ("not in the network", strange), ("other shapes", shapes))
    if any(names for _, names in faults):
        told = "; ".join(
            f"{len(names)} {what}: {first_few(names, _SHOWN)}" for what, names in faults if names
        )
        raise ManifestError(f"the weights of {origin} do not fit {config.model_type} ({told})", _OTHER)
    network = model.base_model if is_classifier else model
    return (
        Features(network, pooling, compares=False),
        Logits(model) if is_classifier else None,
        n_classes if is_classifier else None,
        unexpected,
    )


_OTHER = (
    "name the network that they are of (--arch), and what differs from its usual form: "
    "--set architecture.hidden_size=384 and so on"
)


def _classes_in(state: Mapping[str, Tensor]) -> int:
    """Return the number of classes of a classifier in a file; 0 where it has none."""
    for name, value in state.items():
        if re.fullmatch(r"classifier(?:\.\d+)?\.weight", name) and value.ndim == 2:
            return int(value.shape[0])
    return 0


def _refuse_larger(kind: Any, config: Any, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Refuse a network of more numbers than its file, before memory is taken for it."""
    try:
        with torch.device("meta"):
            wanted = sum(value.numel() for value in kind(config).state_dict().values())
    except Exception as error:
        raise ConfigError(
            f"transformers cannot make {config.model_type}: {first_line(error)}",
            "check section architecture of the recipe",
        ) from error
    there = sum(value.numel() for value in state.values())
    if wanted > 2 * there + _SPARE:
        raise ManifestError(
            f"the weights of {origin} do not fit {config.model_type}: {counted(there, 'number')}, expected "
            f"about {wanted:,}; the first are {first_few(list(state), _SHOWN)}",
            _OTHER,
        )
