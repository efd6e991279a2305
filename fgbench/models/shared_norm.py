"""Batch normalisation over the rows of all processes, so that several train like one.

On CUDA it is torch's :class:`torch.nn.SyncBatchNorm`, which does not support CPUs; there the same is computed
here. The network keeps its parameters, buffers and names.

Suffixes of tensors: B rows of this process, C channels; ``...`` stands for any further dimensions.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm


class _Total(torch.autograd.Function):
    """Sum of a tensor over all processes; its gradient is the sum of their gradients."""

    @staticmethod
    def forward(_ctx: Any, own: Tensor) -> Tensor:
        total = own.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        distributed.all_reduce(total)
        return total


class SharedBatchNorm(_BatchNorm):
    """Batch normalisation on a CPU whose statistics in training are those of the rows of all processes.

    Every process has to call it, in the same order; one without rows gives it a batch of 0 rows. In
    evaluation nothing is exchanged.
    """

    @classmethod
    def of(cls, norm: _BatchNorm) -> SharedBatchNorm:
        """Return one that shares the parameters and buffers of another normalisation, in the same mode."""
        made = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        for name, value in norm.named_parameters(recurse=False):
            setattr(made, name, value)
        for name, value in norm.named_buffers(recurse=False):
            setattr(made, name, value)
        made.training = norm.training
        return made

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 (torch's name)
        """Normalise (B, C, ...), float; of the shape and type given.

        If all processes together have fewer than two values of a channel, and so no variance, the running
        statistics are used and not updated.
        """
        if not self.training:
            return super().forward(input)
        exact = torch.promote_types(input.dtype, torch.float32)
        x = input.to(exact)
        others = [0, *range(2, x.dim())]
        own = x.new_full((1,), x.shape[0] * prod(x.shape[2:]))
        total = _total(torch.cat((x.sum(others), own)))
        n = total[-1].detach()
        if n < 2:
            return functional.batch_norm(
                input, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        shape = (1, -1, *(1,) * (x.dim() - 2))
        mean_C = total[:-1] / n
        centred = x - mean_C.view(shape)
        squares_C = _total(centred.square().sum(others))
        var_C = squares_C / n
        self._follow(mean_C.detach(), var_C.detach() * n / (n - 1))
        scale_C = (var_C + self.eps).rsqrt()
        if self.weight is not None:
            scale_C = scale_C * self.weight
        normalised = centred * scale_C.view(shape)
        if self.bias is not None:
            normalised = normalised + self.bias.view(shape)
        return normalised.to(input.dtype)

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 (torch's name)
        """Accept any number of dimensions."""

    def _follow(self, mean_C: Tensor, var_C: Tensor) -> None:
        """Update the running statistics, as :class:`torch.nn.BatchNorm1d` does."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        part = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean_C.to(self.running_mean.dtype), part)
        self.running_var.lerp_(var_C.to(self.running_var.dtype), part)


def _total(own: Tensor) -> Tensor:
    total: Tensor = _Total.apply(own)
    return total


def share_norms(model: nn.Module, device: torch.device) -> None:
    """Replace the batch normalisations inside a network by shared ones, in place.

    Parameters stay the same objects, so that an optimiser of them stays valid.

    Args:
        model: The network.
        device: Device that it trains on.
    """
    if device.type != "cpu":
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm):
                module.register_module(name, SharedBatchNorm.of(child))


def is_shared(module: nn.Module) -> bool:
    """Return whether batch normalisation in it waits for other processes, so that it has to be called once in
    each step, also without rows."""
    kinds = (SharedBatchNorm, nn.SyncBatchNorm)
    return any(isinstance(part, kinds) and part.training for part in module.modules())
