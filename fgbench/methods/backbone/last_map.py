"""Last convolutional maps of networks of the user's, which have a place in the picture for every cell.

Shapes: B pictures, C channels, h rows, w columns.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from fgbench.errors import ConfigError
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.hf_runs import Features
from fgbench.methods.backbone.taken import Taken
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.models.iresnet import IResNet
from fgbench.models.resnet import ResNet

_LEAST_CELLS = 2
_OTHER = (
    "name a convolutional network: --arch resnet50, iresnet50, convnext, timm/NAME; of others fgbench "
    "baseline backbone takes the features"
)


class LastMap(nn.Module):
    """Module from prepared pictures (B, 3, S, S) to what a network has before it pools: of a convolutional
    one its last map (B, C, h, w), of one of tokens (B, T, C).

    Args:
        module: From prepared pictures to features, as :class:`TorchRuns` has it.

    Raises:
        ConfigError: If it has no such output.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        is_known = isinstance(module, Features | ResNet | IResNet) or hasattr(module, "forward_features")
        if not is_known:
            raise ConfigError(f"{type(module).__name__} gives features alone, expected its last map", _OTHER)
        self.module = module

    def forward(self, prepared_B3SS: Tensor) -> Tensor:
        """Return that output, as the network gives it."""
        module: Any = self.module
        if isinstance(module, Features):
            output: Any = module.model
            return output(pixel_values=prepared_B3SS).last_hidden_state
        if isinstance(module, ResNet | IResNet):
            return module.last_map(prepared_B3SS)
        maps: Tensor = module.forward_features(prepared_B3SS)
        return maps


def with_last_map(frozen: Frozen, taken: Taken) -> tuple[Frozen, int, int]:
    """Return a network whose features are its last map, with the channels and the rows of that.

    Args:
        frozen: A network of ``--hf`` or ``--torch``.
        taken: Its input.

    Returns:
        The network; its module gives (B, C, cells, cells). C. Cells.

    Raises:
        ConfigError: If it has no such map: it is of tokens, of videos, of pictures and texts, or its map has
            one cell or is not square.
    """
    if not isinstance(frozen.runs, TorchRuns) or frozen.tells_texts or frozen.window:
        what = "of videos" if frozen.window else "of pictures and texts" if frozen.tells_texts else "of ONNX"
        raise ConfigError(
            f"{frozen.name} is a network {what}, expected a convolutional one of pictures, with a last map "
            "(B, C, h, w)",
            _OTHER,
        )
    runs = replace(frozen.runs, module=LastMap(frozen.runs.module), classifier=None, n_classes=None)
    shape = tuple(runs.features(torch.zeros(1, 3, taken.size_px, taken.size_px)).shape)
    if len(shape) != 4:
        raise ConfigError(
            f"{frozen.name} ({frozen.reads}) has no last map: before pooling it gives {shape} of one "
            "picture, expected (1, C, h, w) of a convolutional network",
            _OTHER,
        )
    channels, rows, columns = shape[1:]
    if rows != columns or rows < _LEAST_CELLS:
        raise ConfigError(
            f"the last map of {frozen.name} has {channels} channels and {rows} x {columns} cells with "
            f"pictures of {taken.size_px} x {taken.size_px}, expected {_LEAST_CELLS} x {_LEAST_CELLS} cells "
            "or more, as many rows as columns",
            "give it larger pictures (--set network.trunk.input.size_px=224), or name another network",
        )
    named = f"last map of {channels} channels, {rows} x {rows} cells"
    reads = ", ".join([part for part in frozen.reads.split(", ") if not part.startswith("pooling ")])
    return replace(frozen, runs=runs, classes=(), reads=f"{reads}, {named}"), channels, rows
