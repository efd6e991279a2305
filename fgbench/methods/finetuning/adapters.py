"""Adapters of LoRA in a network, by ``peft``: named, put in, drawn, merged into the weights.

Suffixes: O outputs of a layer, I inputs, R rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError, ManifestError, package_missing
from fgbench.methods.finetuning.course import Course
from fgbench.naming import first_few
from fgbench.training.randomness import generator

_MARK = "lora_"
"""Beginning of the names of adapters' modules, as peft calls them."""

_SHOWN = 6


def targets_of(network: nn.Module, course: Course, asked: Sequence[str], *, name: str) -> list[str]:
    """Return the full names of the layers that get an adapter, in the order of the network.

    Args:
        network: The network.
        course: Course of a picture through it.
        asked: Ends of names, as of the recipe; empty: the linear layers of the blocks, else convolutions.
        name: Name of the network, for messages.

    Raises:
        ConfigError: If one names no layer that can have an adapter, or there is none.
    """
    layers = _layers(network, course)
    if asked:
        for one in asked:
            if not any(_ends(layer, one) for layer in layers):
                raise _unknown(one, layers, name=name)
        return [layer for layer in layers if any(_ends(layer, one) for one in asked)]
    inside = [layer for layer in layers if any(layer.startswith(f"{block}.") for block in course.blocks)]
    kinds = dict(network.named_modules())
    linear = [layer for layer in inside if isinstance(kinds[layer], nn.Linear)]
    if not inside:
        raise ConfigError(
            f"{name} has no blocks with layers for adapters, expected some for lora",
            f"name layers: --set finetune.lora.targets=[{next(iter(layers), 'NAME')}]; or train all of it: "
            "--finetune all",
        )
    return linear or inside


def _layers(network: nn.Module, course: Course) -> list[str]:
    """Return the names of the layers that can have an adapter, and that features depend on."""
    passed = set(course.entered)
    return [
        name
        for name, module in network.named_modules()
        if name in passed and f"{name}.weight" in course.used and _takes_adapter(module)
    ]


def _takes_adapter(module: nn.Module) -> bool:
    return type(module) is nn.Linear or (type(module) is nn.Conv2d and module.groups == 1)


def _ends(layer: str, asked: str) -> bool:
    return layer == asked or layer.endswith(f".{asked}")


def _unknown(asked: str, layers: Sequence[str], *, name: str) -> ConfigError:
    ends = list(dict.fromkeys(part for layer in layers for part in (layer.rpartition(".")[2], layer)))
    near = get_close_matches(asked, ends, n=1)
    return ConfigError(
        f"finetune.lora.targets names {asked!r}, which ends the name of no linear layer or convolution of "
        f"{name}, expected some of {first_few(ends, _SHOWN) or 'none: it has no such layers'}",
        f"did you mean {near[0]}?" if near else "name the end of a layer's name, or leave targets out",
    )


def add_adapters(
    network: nn.Module, targets: Sequence[str], *, rank: int, alpha: float, dropout: float = 0.0
) -> None:
    """Put adapters into a network; its own weights stay as they are and are frozen.

    Args:
        network: The network.
        targets: Full names of layers, as of :func:`targets_of`.
        rank: Rank R.
        alpha: Factor of the product, divided by R.
        dropout: Dropout before the first matrix.

    Raises:
        DependencyError: If peft is not installed.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError as error:
        raise package_missing("adapters of LoRA need", error.name, extra="lora") from error
    settings = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules=list(targets))
    with torch.random.fork_rng(devices=[]):  # values are drawn anew by draw_adapters
        inject_adapter_in_model(settings, network)
    for name, value in network.named_parameters():
        value.requires_grad_(is_adapter(name))


def is_adapter(name: str) -> bool:
    """Whether a module or tensor is part of an adapter, by its name in the network."""
    return any(part.startswith(_MARK) for part in name.split("."))


@torch.no_grad()
def draw_adapters(network: nn.Module, seed: int) -> None:
    """Draw the first matrices (R, I) anew, uniform within 1 / sqrt(I); the second (O, R) are 0, so that the
    network is at first as it was.

    Args:
        network: A network with adapters.
        seed: Seed of the run.
    """
    drawn = generator(seed, "adapters")
    for name, value in network.named_parameters():
        if not is_adapter(name):
            continue
        if "lora_B" in name.split("."):
            value.zero_()
            continue
        bound = 1.0 / math.sqrt(value[0].numel())
        value.copy_(torch.empty(value.shape).uniform_(-bound, bound, generator=drawn))


def adapter_state(network: nn.Module) -> dict[str, Tensor]:
    """Return the tensors of the adapters by their names in the network."""
    return {name: value.detach().clone() for name, value in network.state_dict().items() if is_adapter(name)}


def merge_adapters(network: nn.Module) -> None:
    """Add the products of the adapters to the weights, and take the adapters out."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    for name, module in list(network.named_modules()):
        if isinstance(module, BaseTunerLayer):
            layer: Any = module
            layer.merge()
            above, _, last = name.rpartition(".")
            setattr(network.get_submodule(above), last, layer.get_base_layer())


def load_adapters(network: nn.Module, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Copy the tensors of :func:`adapter_state` into a network with such adapters.

    Raises:
        ManifestError: If names or shapes differ.
    """
    wanted = {name: tuple(value.shape) for name, value in adapter_state(network).items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    if wanted != given:
        different = sorted(key for key in {*wanted, *given} if wanted.get(key) != given.get(key))
        raise ManifestError(
            f"the adapters of {origin} do not fit their network: {first_few(different, _SHOWN)} differ",
            "give weights that fgbench wrote, or run the baseline anew",
        )
    network.load_state_dict(dict(state), strict=False)
