"""The course of a picture through a network: layers in their order, and blocks among them.

A network of the user's is known by its modules alone; one picture is sent through it, and back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError

_CONTAINERS = (nn.ModuleList, nn.Sequential)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Course of a picture through a network.

    Attributes:
        entered: Names of all modules that it passes, in the order in which it enters them.
        blocks: Names of the blocks among them: layers of a transformer, residual blocks.
        used: Names of the parameters that features depend on.
    """

    entered: Sequence[str]
    blocks: Sequence[str]
    used: frozenset[str]

    def last(self, count: int, *, name: str) -> frozenset[str]:
        """Return the modules of the last blocks, and of all that follows.

        Args:
            count: Number of blocks.
            name: Name of the network, for messages.

        Raises:
            ConfigError: If it has no blocks, or not so many.
        """
        if not self.blocks:
            raise ConfigError(
                f"{name} has no blocks that follow each other, expected some for last-{count}",
                "train all of it: --finetune all; or adapters of layers that you name: --finetune lora --set "
                "finetune.lora.targets=[NAME]",
            )
        if count > len(self.blocks):
            raise ConfigError(
                f"last-{count} of {name}, which has {len(self.blocks)} blocks, expected last-1 to "
                f"last-{len(self.blocks)}",
                "name fewer; or train all of it: --finetune all",
            )
        return frozenset(self.entered[self.entered.index(self.blocks[-count]) :])


def course_of(network: nn.Module, picture_13SS: Tensor) -> Course:
    """Send a picture through a network and back; values and settings of the network stay as they are.

    Args:
        network: In evaluation mode: prepared pictures (B, 3, S, S) to features (B, D).
        picture_13SS: A prepared picture on its device.
    """
    entered: dict[str, None] = {}
    hooks = [
        module.register_forward_pre_hook(partial(_enter, entered, name))
        for name, module in network.named_modules()
    ]
    named = dict(network.named_parameters())
    before = {name: value.requires_grad for name, value in named.items()}
    try:
        network.requires_grad_(True)
        with torch.enable_grad():
            features = network(picture_13SS)
            gradients = torch.autograd.grad(features.sum(), list(named.values()), allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
        for name, value in named.items():
            value.requires_grad_(before[name])
    used = [name for name, gradient in zip(named, gradients, strict=True) if gradient is not None]
    found = set(_blocks(network, ""))
    return Course(
        entered=tuple(entered), blocks=tuple(name for name in entered if name in found), used=frozenset(used)
    )


def _enter(entered: dict[str, None], name: str, _module: nn.Module, _given: object) -> None:
    entered.setdefault(name)


def _blocks(module: nn.Module, name: str, *, listed: bool = False) -> Iterator[str]:
    """Iterate over the names of blocks: modules of several layers that stand in a list.

    Stages of networks, which are lists of blocks themselves, are looked into.
    """
    is_list = isinstance(module, _CONTAINERS)
    if listed and not is_list and not _is_stage(module):
        if any(True for _ in module.children()) and any(True for _ in module.parameters()):
            yield name
        return
    for child, part in module.named_children():
        yield from _blocks(part, f"{name}.{child}" if name else child, listed=is_list)


def _is_stage(module: nn.Module) -> bool:
    return "Stage" in type(module).__name__
