"""Initial values of a network's parameters, drawn from one generator only."""

from __future__ import annotations

import torch
from torch import nn

from fgbench.models.attention import CascadedAttention, Transfer

HEAD_STD = 0.01
"""Standard deviation of a classifier's initial weights, as in Caffe's networks; not stated in the paper."""


class Head(nn.Linear):
    """Linear classifier. Its weights start near zero, so that the first predictions favour no class."""


@torch.no_grad()
def initialise(module: nn.Module, generator: torch.Generator) -> None:
    """Draw a module's parameters anew: He initialisation (normal, fan-in), which is not stated in the paper.

    Biases start at 0, scales of batch normalisation at 1, classifiers (:class:`Head`) near 0, slopes of PReLU
    at 0.25, attention at the mean of its frames. An LSTM has weights uniform within 1 / sqrt(hidden units),
    as torch's own, and the bias of its forget gates is 1, so that it remembers at first.

    The numbers are drawn on the generator's device in the order of the modules, so that they depend neither
    on torch's global state nor on the device of the module.

    Args:
        module: Network of convolutions, linear layers, batch normalisations, PReLUs, LSTMs and attention.
        generator: Seeded generator, as a rule on the CPU.

    Raises:
        TypeError: If another layer has parameters.
    """
    for name, layer in module.named_modules():
        match layer:
            case Head() | Transfer():
                _draw(layer.weight, HEAD_STD, generator)
            case CascadedAttention():
                layer.q0.zero_()
            case nn.LSTM():
                _draw_lstm(layer, generator)
            case nn.Conv2d() | nn.Conv3d() | nn.Linear():
                fan_in = layer.weight[0].numel()
                _draw(layer.weight, (2.0 / fan_in) ** 0.5, generator)
            case nn.BatchNorm1d() | nn.BatchNorm2d() | nn.BatchNorm3d():
                layer.reset_running_stats()
                if layer.affine:
                    layer.weight.fill_(1.0)
            case nn.PReLU():
                layer.weight.fill_(0.25)
            case _ if any(True for _ in layer.parameters(recurse=False)):
                raise TypeError(f"no initialisation for {name or 'the module'} ({type(layer).__name__})")
        bias = getattr(layer, "bias", None)
        if isinstance(bias, nn.Parameter):
            bias.zero_()


def _draw(weight: torch.Tensor, std: float, generator: torch.Generator) -> None:
    drawn = torch.empty(weight.shape, dtype=torch.float32, device=generator.device)
    weight.copy_(drawn.normal_(0.0, std, generator=generator))


def _draw_lstm(lstm: nn.LSTM, generator: torch.Generator) -> None:
    bound = lstm.hidden_size**-0.5
    for name, values in lstm.named_parameters():
        if name.startswith("weight"):
            drawn = torch.empty(values.shape, dtype=torch.float32, device=generator.device)
            values.copy_(drawn.uniform_(-bound, bound, generator=generator))
        else:
            values.zero_()
            if name.startswith("bias_ih"):
                # Rows: input, forget, cell and output gates; bias_hh is added to them.
                values[lstm.hidden_size : 2 * lstm.hidden_size] = 1.0
