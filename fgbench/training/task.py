"""What the training loop asks of that which is trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

from torch import Tensor, nn


class Batches(Protocol):
    """The batches of an epoch: iterable once, of known number."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Any]: ...


class Task(Protocol):
    """What is trained, on what, and how it is judged."""

    @property
    def model(self) -> nn.Module:
        """The network; the loop moves it to the device and switches it between training and evaluation."""

    def groups(self) -> list[dict[str, Any]]:
        """Groups of parameters, as torch's optimisers take them; ``"lr"`` where it is not the recipe's."""

    def batches(self, *, epoch: int, rank: int, world: int) -> Batches:
        """Process ``rank``'s rows of every batch of ``optimiser.batch`` samples over ``world`` processes.

        Their order depends on the seed and ``epoch`` alone, and their number is the same in every process.
        Process 0 has rows in each; another may have none in the last, which then has :meth:`rows` 0.
        """

    def rows(self, batch: Any) -> int:
        """Samples of a batch, without waiting for the device."""

    def loss(self, batch: Any, *, epoch: int) -> tuple[Tensor, dict[str, Tensor]]:
        """The loss to descend on and its parts (for the history): scalars, means over the batch.

        The parts' names are the same in all steps of an epoch, and none is ``"loss"``. A batch without rows
        has to pass the same layers; its loss may be any number, or none.
        """

    def ids(self, batch: Any) -> Sequence[str]:
        """Ids of the samples of a batch, for messages."""

    def score(self) -> dict[str, float]:
        """Measures on the selection samples, never on test; the highest ``"score"`` decides what stays.

        Called in every process (that of process 0 counts), with the network in evaluation mode, without
        gradients and in float32.
        """


@runtime_checkable
class TurningTask(Task, Protocol):
    """A task whose losses take turns, an epoch each; a round is an epoch of every turn."""

    def turns(self) -> list[list[dict[str, Any]]]:
        """Groups of parameters of each turn, as :meth:`groups`; epoch ``e`` trains those of ``e`` modulo the
        number of turns."""


@runtime_checkable
class SparingTask(Task, Protocol):
    """A task whose loss may leave parameters of the network without gradients.

    Several processes have to know it before a step. That of any other task depends on all of them, whatever
    the batch.
    """

    def is_sparing(self, epoch: int) -> bool:
        """Whether the loss of an epoch (from 0) depends on some of the parameters that train alone, in all of
        its batches."""


@runtime_checkable
class ThawingTask(Task, Protocol):
    """A task that trains other parameters in some epochs than in others."""

    def begin(self, epoch: int) -> None:
        """Freeze and unfreeze what an epoch (from 0) wants; called before its first step, also where training
        goes on in the midst of it."""
