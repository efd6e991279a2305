"""Initial weights of an image model: drawn values, an AU network's trunk, or a trained image network.

Reads weights; writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fgbench.config import TrainImageConfig
from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.methods._networks.trunk_choice import check_trunk
from fgbench.models.drml import RegionLayer
from fgbench.models.initialisation import initialise
from fgbench.models.map_trunk import MapTrunk
from fgbench.models.msau import MsauNet
from fgbench.models.weights import load_into
from fgbench.runs.labels import FG33, LabelSet, fg33
from fgbench.runs.results import read_result
from fgbench.runs.weights import Trained, read_trained
from fgbench.training.randomness import generator


def transfer_of(start: Trained) -> dict[str, Any]:
    """Return the details of a result on the image network that it started from."""
    source = None if start.run is None else read_result(start.run)
    own: Mapping[str, Any] = {} if source is None else source["details"]
    return {
        "kind": "fine-tuned",
        "run": start.name,
        "sha256": start.digest,
        "dataset": own.get("dataset", "unknown data"),
        "synthetic": own.get("synthetic"),
        "scheme": start.metadata.get("scheme", FG33),
    }


def start_of(
    config: TrainImageConfig,
    au_weights: Path | None,
    init: Trained | None,
    trunk: Trained | None = None,
) -> Trained | None:
    """Return the network that a run starts from, checked to fit the recipe; ``None`` for drawn values.

    Args:
        config: The recipe.
        au_weights: Weights of an AU network.
        init: A trained image network.\n
        trunk: A trained image network of which only the trunk is taken; the recipe is that of
            :func:`fgbench.methods._networks.trunk_choice.on_trunk_of`.

    Raises:
        ConfigError: If several are given, or the recipe takes no such network, needs one, or is of another
            network.
        ManifestError: If weights are missing, damaged or of another kind.
    """
    if trunk is not None:
        if au_weights is not None or init is not None:
            raise ConfigError(
                "a trunk, and weights of action units or a trained network beside it, expected one of them",
                "leave out --au-weights and --init, or --trunk",
            )
        trunk.require("image", purpose="to take the trunk of")
        check_trunk(trunk, config)
        return trunk
    if init is not None:
        if au_weights is not None:
            raise ConfigError(
                "both weights of action units and a trained network to start from, expected one of them",
                "leave out --au-weights: the trunk of the trained network is taken",
            )
        init.require("image", purpose="to start from")
        network = dict(init.metadata["network"])
        wanted = config.network.built()
        if config.region_counts:
            raise ConfigError(
                f"recipe {config.name} trains several networks, expected one to start from a trained one",
                "take a recipe without region_counts",
            )
        if config.losses.units:
            raise ConfigError(
                f"recipe {config.name} trains on action units, of which {init.path} keeps no outputs",
                "take a recipe with losses.units 0",
            )
        _refuse_other(network, wanted, f"{init.path} is of another network than recipe {config.name}")
        return init
    if (au_weights is None) != (config.au_recipe is None):
        raise ConfigError(
            f"recipe {config.name} {'needs' if config.au_recipe else 'takes no'} weights of action units",
            "give them with --au-weights" if config.au_recipe else "leave out --au-weights",
        )
    if au_weights is None:
        return None
    start = read_trained(au_weights)
    if start.kind != "au":
        raise ManifestError(
            f"{au_weights} is of kind {start.metadata.get('kind')!r}, "
            "expected weights of action units ('au')",
            "give a run of fgbench train au",
        )
    _refuse_other(
        start.metadata["trunk"],
        config.network.trunk.model_dump(mode="json"),
        f"{au_weights} has another trunk than recipe {config.name}",
        f"train it with fgbench train au --recipe {config.au_recipe}",
    )
    return start


def _refuse_other(
    network: Mapping[str, Any],
    wanted: Mapping[str, Any],
    message: str,
    hint: str = "take the recipe that it was trained with",
) -> None:
    different = sorted(key for key in wanted if network.get(key) != wanted[key])
    if different:
        raise ConfigError(f"{message}: {', '.join(different)} differ", hint)


def build(
    config: TrainImageConfig,
    start: Trained | None,
    *,
    seed: int,
    labels: LabelSet | None = None,
    trunk_only: bool = False,
    map_trunk: MapTrunk | None = None,
) -> MsauNet:
    """Build the network of a recipe with its initial values: drawn, except those that it starts from.

    Args:
        config: The recipe.
        start: An AU network, of which trunk and embedding are taken (and the outputs, if the recipe trains on
            units too); or an image network, of which all but the classifiers is taken. Parts of the trunk
            that the recipe freezes are frozen.
        seed: Seed of the drawn values.
        labels: The classes; ``None`` are the 33 leaves.
        trunk_only: Whether only the trunk of an image network is taken. A region layer that it lacks
            has no effect at first, so that maps equal those of the network.
        map_trunk: Trunk of a recipe of ``network.trunk`` backbone, whose values stay; what the recipe
            freezes of it is frozen. There is no other start then.

    Raises:
        ManifestError: If the weights do not fit.
    """
    label_set = labels or fg33()
    n_basic = len(label_set.upper) if config.losses.basic else 0
    n_units = len(start.metadata["action_units"]) if start is not None and config.losses.units else 0
    model = MsauNet(
        config.network, n_fine=len(label_set.labels), n_basic=n_basic, n_units=n_units, trunk=map_trunk
    )
    if map_trunk is not None:
        assert start is None, "a backbone is the start"
        initialise(model.scales, generator(seed, "weights"))
        model.freeze(config.frozen)
        return model
    initialise(model, generator(seed, "weights"))
    model.to(memory_format=torch.channels_last)  # convolutions take half the time on a CPU
    if start is None:
        return model
    origin = str(start.path)
    state = _below(start.state, "trunk.")
    if trunk_only and isinstance(model.trunk.region, RegionLayer) and not _below(state, "region."):
        model.trunk.region.start_without_effect()
        state |= {f"region.{name}": value for name, value in model.trunk.region.state_dict().items()}
    load_into(model.trunk, state, origin=origin)
    if trunk_only:
        model.freeze(config.frozen)
        return model
    if start.kind == "image":
        for number, scale in enumerate(model.scales):
            for part in ("embedding", "mac_norm"):
                state = _below(start.state, f"scales.{number}.{part}.")
                if state:
                    load_into(getattr(scale, part), state, origin=origin)
        model.freeze(config.frozen)
        return model
    embedding = _below(start.state, "embedding.")
    for scale in model.scales:
        shapes = {name: tuple(value.shape) for name, value in scale.embedding.state_dict().items()}
        if shapes == {name: tuple(value.shape) for name, value in embedding.items()}:
            load_into(scale.embedding, embedding, origin=origin)
    if model.units is not None:
        load_into(model.units, _below(start.state, "head."), origin=origin)
    model.freeze(config.frozen)
    return model


def digest_weights(weights: Path) -> str:
    """Return the SHA-256 of a file of weights.

    Raises:
        ManifestError: If it cannot be read.
    """
    try:
        return digest_file(weights)
    except OSError as error:
        raise ManifestError(
            f"cannot read the weights {weights}: {error.strerror}", "name the file that was downloaded"
        ) from error


def _below(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
