"""Several processes that train one network: what they tell each other. With one process, nothing is told.

Each process takes its rows of every batch. Gradients are averaged over rows, not over processes, so that an
uneven last batch counts as it does in one process. They are averaged here and not by a wrapper around the
network, so that a task may call any method of it, and may train other parts in other epochs.
"""

from __future__ import annotations

import atexit
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

# Its functions keep, as their default, the group that there is when it is imported, which would then
# outlive the interpreter: it must be imported while there is none.
import torch.distributed.nn
from accelerate import PartialState
from torch import Tensor, distributed, nn


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among its fellows.

    Attributes:
        rank: Its number, from 0.
        world: Number of processes.
    """

    rank: int
    world: int

    @property
    def main(self) -> bool:
        """Whether it is the one that writes files and decides."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes, in the order of their numbers."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        distributed.all_gather_object(values, value)
        return values

    def sum(self, values: Tensor) -> Tensor:
        """Add a tensor over processes, in place."""
        if self.world > 1:
            distributed.all_reduce(values)
        return values

    def wait(self) -> None:
        """Wait until all processes are here."""
        if self.world > 1:
            distributed.barrier()


def join_processes(device: torch.device) -> Processes:
    """Join the processes that ``torchrun``, ``accelerate launch`` or MPI started, or be the only one.

    The group is left before the interpreter ends: a thread of it that lets go of a tensor after that makes
    the process abort.
    """
    state = PartialState(cpu=device.type == "cpu")
    if state.num_processes > 1:
        atexit.unregister(_leave)
        atexit.register(_leave)
    return Processes(state.process_index, state.num_processes)


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def average_gradients(
    processes: Processes, parameters: Sequence[nn.Parameter], *, rows: int, uneven: bool
) -> None:
    """Give every process the gradient of the whole batch.

    Args:
        processes: This process among its fellows.
        parameters: The same in every process.
        rows: Rows of this process; its loss is their mean.
        uneven: Whether some processes may have no rows, and so no gradients; they are told of which
            parameters the others have some.
    """
    if processes.world == 1:
        return
    has = [parameter.grad is not None for parameter in parameters]
    if uneven:
        has = [any(column) for column in zip(*processes.gather(has), strict=True)]
    shared = [parameter for parameter, one in zip(parameters, has, strict=True) if one]
    for parameter in shared:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    gradients = [parameter.grad for parameter in shared]
    _exchange(processes, gradients, weight=rows)


def average_buffers(processes: Processes, model: nn.Module) -> None:
    """Make running statistics the mean of those of all processes, each of which saw its rows alone."""
    if processes.world > 1:
        buffers = [buffer for buffer in model.buffers() if buffer.is_floating_point()]
        _exchange(processes, buffers, weight=1)


def spread_parameters(processes: Processes, model: nn.Module) -> None:
    """Give every process the main one's weights and buffers."""
    if processes.world > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            distributed.broadcast(tensor.detach(), 0)


def _exchange(processes: Processes, tensors: Iterable[Tensor], *, weight: int) -> None:
    parts = list(tensors)
    if not parts:
        return
    flat = torch.cat([part.detach().flatten() * weight for part in parts] + [parts[0].new_full((1,), weight)])
    processes.sum(flat)
    flat /= flat[-1].clone()
    for part, mean in zip(parts, flat[:-1].split([part.numel() for part in parts]), strict=True):
        part.detach().copy_(mean.view_as(part))
