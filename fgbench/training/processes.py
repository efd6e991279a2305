"""Several processes that train one network: what they tell each other. With one process, nothing is told.

Each process takes its rows of every batch. torch's ``DistributedDataParallel`` averages the gradients; it is
wrapped around the whole loss and not around the network, so that a task may call any method of it, and may
train other parts in other epochs. Losses are weighed by rows, and batch normalisation sees the rows of all
(:mod:`fgbench.models.shared_norm`), so that several processes descend as one does, but for dropout.

A process without rows in an uneven last batch takes part with a batch of 0 rows. torch's ``join`` would not
do: it steps in for the exchange of gradients alone, not for that of batch normalisation.
"""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

# Its functions keep, as their default, the group that there is when it is imported, which would then
# outlive the interpreter: it must be imported while there is none.
import torch.distributed.nn
from accelerate import PartialState
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fgbench.errors import ConfigError
from fgbench.models.masking import zero_of
from fgbench.models.shared_norm import share_norms
from fgbench.training.task import SparingTask, Task

Descend = Callable[[Any, int, int], dict[str, Tensor]]
"""Makes the gradients of a batch, of which it is told the epoch and this process's rows; gives what was
measured of these: ``"loss"`` and its parts, detached; nothing without rows."""


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


def write_once(device: torch.device, write: Callable[[], object]) -> None:
    """Let the main process write what all of them have made, while the others wait for it.

    Args:
        device: Where they train.
        write: Predicts what is to be predicted and writes the run; called in the main process alone.
    """
    processes = join_processes(device)
    if processes.main:
        write()
    processes.wait()


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def spread_parameters(processes: Processes, model: nn.Module) -> None:
    """Give every process the main one's weights and buffers."""
    if processes.world > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            distributed.broadcast(tensor.detach(), 0)


def refuse_idle(processes: Processes, batch: int) -> None:
    """Refuse more processes than a batch has rows: some would have none in any.

    Raises:
        ConfigError: If there are.
    """
    if processes.world > batch:
        raise ConfigError(
            f"{processes.world} processes share batches of {batch} rows, expected at most {batch} processes: "
            "the others would have nothing to do",
            f"start at most {batch} (torchrun --nproc-per-node {batch}), or raise optimiser.batch",
        )


def descend_together(processes: Processes, task: Task, device: torch.device, *, bf16: bool) -> Descend:
    """How a batch's gradients are made, by one process or by several, which share batch normalisations then.

    Args:
        processes: This process among its fellows.
        task: What is trained; its network lies on the device.
        device: Where losses are.
        bf16: Whether the network runs in bfloat16 where torch deems it safe.
    """
    own = _Loss(task, torch.autocast(device.type, torch.bfloat16, enabled=bf16))
    if processes.world == 1:

        def alone(batch: Any, epoch: int, _rows: int) -> dict[str, Tensor]:
            loss, parts = own(batch, epoch)
            loss.backward()
            return _measured(loss, parts)

        return alone
    share_norms(task.model, device)
    shared = _Shared(task, own)

    def together(batch: Any, epoch: int, rows: int) -> dict[str, Tensor]:
        total = processes.sum(torch.full((), float(rows), device=device))
        loss, parts = shared.of(epoch)(batch, epoch)
        # The mean over processes that torch makes of these is the mean over rows.
        (loss * (rows * processes.world) / total).backward()
        return _measured(loss, parts) if rows else {}

    return together


class _Loss(nn.Module):
    """The loss of a task as a module, which is what torch's wrapper takes."""

    def __init__(self, task: Task, precision: torch.autocast) -> None:
        super().__init__()
        self.model = task.model
        self._task = task
        self._precision = precision

    def forward(self, batch: Any, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss of a batch and its parts; without one, 0 times all that train."""
        if batch is None:
            return zero_of(self.model), {}
        with self._precision:
            return self._task.loss(batch, epoch=epoch)


class _Shared:
    """torch's wrapper of a loss, which has to know what trains, and whether an epoch spares some of it.

    It is made anew where that changes: it never exchanges gradients of what was frozen when it was made; to
    look for parameters without gradients where there are none costs time, and torch warns of it; not to look
    for those that there are is an error.
    """

    def __init__(self, task: Task, loss: _Loss) -> None:
        self._task = task
        self._loss = loss
        self._made_for: tuple[bool, list[bool]] | None = None
        self._wrapped: DistributedDataParallel | None = None

    def of(self, epoch: int) -> DistributedDataParallel:
        """The wrapper for an epoch."""
        is_sparing = isinstance(self._task, SparingTask) and self._task.is_sparing(epoch)
        wanted = (is_sparing, [value.requires_grad for value in self._loss.parameters()])
        if self._wrapped is None or wanted != self._made_for:
            self._wrapped = None  # let go of its buckets before there are others
            self._made_for = wanted
            self._wrapped = _wrap(self._loss, is_sparing=is_sparing)
        return self._wrapped


def _wrap(loss: _Loss, *, is_sparing: bool) -> DistributedDataParallel:
    # Weights are spread by the caller, and buffers stay the same. Newer versions of torch call that argument
    # otherwise, and warn.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
        wrapped = DistributedDataParallel(
            loss, broadcast_buffers=False, init_sync=False, find_unused_parameters=is_sparing
        )
    if not is_sparing:
        _order_gradients(wrapped, loss)
    return wrapped


def _order_gradients(wrapped: DistributedDataParallel, loss: _Loss) -> None:
    """Let torch put the gradients in the order in which it exchanges them, as it does after the first step.

    Where a gradient lies decides in what order three or more processes add it up, hence its last bits: a
    training that is resumed would else have other ones in its first step than if it had not been stopped.
    """
    wrapped(None, 0)[0].backward()
    loss.model.zero_grad(set_to_none=True)


def _measured(loss: Tensor, parts: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}
