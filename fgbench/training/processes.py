"""Communication of several processes that train one network; one process alone exchanges nothing.

Each process takes its rows of every batch. torch's ``DistributedDataParallel`` averages the gradients; it is
wrapped around the whole loss and not around the network, so that a task may call any method of it, and may
train different parts in different epochs. Losses are weighted by rows, and batch normalisation uses the rows
of all (:mod:`fgbench.models.shared_norm`), so that several processes train like one, except for dropout.

A process without rows in an uneven last batch takes part with a batch of 0 rows. torch's ``join`` does not
suffice: it replaces only the exchange of gradients, not that of batch normalisation.
"""

from __future__ import annotations

import atexit
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

# Its functions keep the group that exists at import as their default, which would then outlive the
# interpreter: it must be imported while there is none.
import torch.distributed.nn
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from fgbench.errors import ConfigError
from fgbench.models.masking import zero_of
from fgbench.models.shared_norm import share_norms
from fgbench.training.task import SparingTask, Task

with warnings.catch_warnings():
    # Of tqdm, which it imports: advice on widgets, which our bars do without.
    warnings.filterwarnings("ignore", message="IProgress not found")
    from accelerate import PartialState

Descend = Callable[[Any, int, int], dict[str, Tensor]]
"""Computes the gradients of a batch, given its epoch and this process's rows; returns ``"loss"`` and its
parts over these, detached; nothing without rows."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among all processes of a training.

    Attributes:
        rank: Its index, from 0.
        world: Number of processes.
    """

    rank: int
    world: int

    @property
    def main(self) -> bool:
        """Whether it is the one that writes files and decides."""
        return self.rank == 0

    def gather(self, value: Any) -> list[Any]:
        """Return the values of all processes, in the order of their ranks."""
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
        """Wait for all processes."""
        if self.world > 1:
            distributed.barrier()


def join_processes(device: torch.device) -> Processes:
    """Join the processes that ``torchrun``, ``accelerate launch`` or MPI started, or be the only one.

    The group is left before the interpreter ends: a thread of it that frees a tensor after that makes the
    process abort.
    """
    state = PartialState(cpu=device.type == "cpu")
    if state.num_processes > 1:
        atexit.unregister(_leave)
        atexit.register(_leave)
    return Processes(state.process_index, state.num_processes)


def write_once(device: torch.device, write: Callable[[], object]) -> None:
    """Let the main process write the results of all, while the others wait for it.

    Args:
        device: Device that they train on.
        write: Predicts and writes the run; called in the main process only.
    """
    processes = join_processes(device)
    if processes.main:
        write()
    processes.wait()


def _leave() -> None:
    if distributed.is_initialized():
        distributed.destroy_process_group()


def spread_parameters(processes: Processes, model: nn.Module) -> None:
    """Copy the main process's weights and buffers to every process."""
    if processes.world > 1:
        for tensor in (*model.parameters(), *model.buffers()):
            distributed.broadcast(tensor.detach(), 0)


def refuse_idle(processes: Processes, batch: int) -> None:
    """Refuse more processes than a batch has rows: some would have none in any.

    Raises:
        ConfigError: If there are more.
    """
    if processes.world > batch:
        raise ConfigError(
            f"{processes.world} processes share batches of {batch} rows, expected at most {batch} processes: "
            "the others would have nothing to do",
            f"start at most {batch} (torchrun --nproc-per-node {batch}), or raise optimiser.batch",
        )


def descend_together(processes: Processes, task: Task, device: torch.device, *, bf16: bool) -> Descend:
    """Return the function that computes a batch's gradients; several processes share batch normalisations.

    Args:
        processes: This process among all.
        task: Task to train; its network is on the device.
        device: Device of the losses.
        bf16: Whether the network runs in bfloat16 where torch considers it safe.
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
        # torch's mean over processes of these is the mean over rows.
        (loss * (rows * processes.world) / total).backward()
        return _measured(loss, parts) if rows else {}

    return together


class _Loss(nn.Module):
    """The loss of a task as a module, as torch's wrapper takes it."""

    def __init__(self, task: Task, precision: torch.autocast) -> None:
        super().__init__()
        self.model = task.model
        self._task = task
        self._precision = precision

    def forward(self, batch: Any, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss of a batch and its parts; without one, 0 times all parameters that train."""
        if batch is None:
            return zero_of(self.model), {}
        with self._precision:
            return self._task.loss(batch, epoch=epoch)


class _Shared:
    """torch's wrapper of a loss, which has to know the parameters that train, and if some lack gradients.

    It is rebuilt when that changes: it never exchanges gradients of parameters that were frozen when it was
    built; searching for parameters without gradients costs time, and torch warns if there are none; not
    searching for existing ones is an error.
    """

    def __init__(self, task: Task, loss: _Loss) -> None:
        self._task = task
        self._loss = loss
        self._made_for: tuple[bool, list[bool]] | None = None
        self._wrapped: DistributedDataParallel | None = None

    def of(self, epoch: int) -> DistributedDataParallel:
        """Return the wrapper for an epoch."""
        is_sparing = isinstance(self._task, SparingTask) and self._task.is_sparing(epoch)
        wanted = (is_sparing, [value.requires_grad for value in self._loss.parameters()])
        if self._wrapped is None or wanted != self._made_for:
            self._wrapped = None  # free its buckets before others are allocated
            self._made_for = wanted
            self._wrapped = _wrap(self._loss, is_sparing=is_sparing)
        return self._wrapped


def _wrap(loss: _Loss, *, is_sparing: bool) -> DistributedDataParallel:
    # Weights are copied by the caller, and buffers stay equal. Newer versions of torch rename that argument.
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`broadcast_buffers` is deprecated", FutureWarning)
        wrapped = DistributedDataParallel(
            loss, broadcast_buffers=False, init_sync=False, find_unused_parameters=is_sparing
        )
    if not is_sparing:
        _order_gradients(wrapped, loss)
    return wrapped


def _order_gradients(wrapped: DistributedDataParallel, loss: _Loss) -> None:
    """Let torch order the gradients as it exchanges them, which it does after the first step.

    The position of a gradient decides the order in which three or more processes add it up, hence its last
    bits: a resumed training would otherwise have others in its first step than one that was not stopped.
    """
    wrapped(None, 0)[0].backward()
    loss.model.zero_grad(set_to_none=True)


def _measured(loss: Tensor, parts: dict[str, Tensor]) -> dict[str, Tensor]:
    return {"loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}
