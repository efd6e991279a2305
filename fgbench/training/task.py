"""Protocols of the tasks of the training loop."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


class Batches(Protocol):
    """The batches of an epoch: iterable once, with a length."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class Task(Protocol):
    """A network, its training data and loss, and its score on validation."""

    @property
    def model(self) -> nn.Module:
        """The network; the loop moves it to the device and switches it between training and evaluation."""

    def groups(self) -> list[dict[str, Any]]:
        """Return groups of parameters for torch's optimisers; ``"lr"`` if it is not the recipe's."""

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Return the rows of process ``rank`` of ``world`` in every batch of ``optimiser.batch`` samples.

        Their order depends on the seed and ``epoch`` alone, and their number is the same in every process.
        Process 0 has rows in each; another may have none in the last, which then has :meth:`rows` 0.
        """

    def rows(self, batch: Any) -> int:
        """Return the number of samples of a batch, without waiting for the device."""

    def loss(self, batch: Any, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss to minimise and its parts (for the history): scalars, means over the batch.

        The parts' names are the same in all steps of an epoch, and none is ``"loss"``. A batch without rows
        has to pass the same layers; its loss may be any number, or none.
        """

    def ids(self, batch: Any) -> Sequence[str]:
        """Return the ids of the samples of a batch, for messages."""

    def score(self) -> dict[str, float]:
        """Return measures on the selection samples, never on test; the highest ``"score"`` decides the epoch.

        Called in every process (that of process 0 counts), with the network in evaluation mode, without
        gradients and in float32.
        """


@runtime_checkable
class TurningTask(Task, Protocol):
    """A task whose losses take turns, an epoch each; a round is an epoch of every turn."""

    def turns(self) -> list[list[dict[str, Any]]]:
        """Return groups of parameters of each turn, as :meth:`groups`; epoch ``e`` trains turn ``e`` modulo
        their number."""


@runtime_checkable
class SparingTask(Task, Protocol):
    """A task whose loss may leave parameters of the network without gradients.

    Several processes have to know it before a step. The loss of any other task depends on all parameters, for
    every batch.
    """

    def is_sparing(self, epoch: int) -> bool:
        """Return whether the loss of an epoch (from 0) depends only on some of the parameters that train, in
        all of its batches."""


@runtime_checkable
class ThawingTask(Task, Protocol):
    """A task that trains different parameters in different epochs."""

    def begin(self, epoch: int) -> None:
        """Freeze and unfreeze parameters for an epoch (from 0); called before its first step, and on resuming
        within it."""
