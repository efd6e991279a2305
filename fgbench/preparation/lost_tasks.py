"""Tasks on machines that may vanish: a bounded number in flight, and lost ones submitted again."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from fgbench.errors import WorkerError
from fgbench.workers import AfterDeath

T = TypeVar("T")
R = TypeVar("R")
H = TypeVar("H")

LOSSES = 3
"""Deaths of workers at a task, beside others, after which it is tried alone."""
MACHINE_LOSSES = 50
"""Times that a task may be lost along with its machine, which tells nothing about the task."""

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lost:
    """End of a task without a result.

    Attributes:
        cause: What happened to its worker, e.g. ``"was killed by SIGKILL"``.
        with_machine: Whether the machine went with it, so that the task is not to blame.
    """

    cause: str
    with_machine: bool


class Cluster(Protocol[H]):
    """Scheduler of an engine; ``H`` stands for a task in flight."""

    def submit(self, function: Callable[[T], R], tasks: Sequence[T]) -> Sequence[H]:
        """Hand tasks to the scheduler, at least one."""

    def ended(self, flying: Collection[H]) -> Collection[H]:
        """Wait until at least one of the tasks has ended, and return those that have."""

    def result(self, handle: H) -> Any | Lost:
        """Return the result of a task that has ended.

        Raises:
            Exception: The error that the function raised.
        """


@dataclass(slots=True)
class _Work:
    task: Any
    deaths: int = 0
    machine_losses: int = 0
    alone: bool = False


class _Round(Generic[H]):
    """Tasks of one stage: waiting, in flight, and suspected of killing their workers."""

    def __init__(self, cluster: Cluster[H], function: Callable[[T], R], tasks: Sequence[T]) -> None:
        self._cluster = cluster
        self._function: Callable[[Any], Any] = function
        self.waiting = deque(_Work(task) for task in tasks)
        self.suspects: deque[_Work] = deque()
        self.flying: dict[H, _Work] = {}

    def submit(self, most: int) -> None:
        """Keep up to ``most`` tasks in flight; a suspect flies when no other does."""
        batch = [self.waiting.popleft() for _ in range(min(len(self.waiting), most - len(self.flying)))]
        if not batch and not self.flying:
            batch = [self.suspects.popleft()]
        if batch:
            handles = self._cluster.submit(self._function, [work.task for work in batch])
            self.flying.update(zip(handles, batch, strict=True))

    def lose(self, work: _Work, lost: Lost, after_death: AfterDeath[Any] | None) -> None:
        """Put a lost task back among those to be done.

        Raises:
            WorkerError: If it was lost too often, or there is no other task to try in its place.
        """
        _LOGGER.warning("a task was lost: its worker %s; it is submitted again", lost.cause)
        if lost.with_machine:
            work.machine_losses += 1
            if work.machine_losses > MACHINE_LOSSES:
                raise _death(f"{lost.cause}, {work.machine_losses} times")
            (self.suspects if work.alone else self.waiting).append(work)
            return
        work.deaths += 1
        if after_death is None and work.deaths >= LOSSES:
            raise _death(lost.cause)
        if work.alone:
            assert after_death is not None
            work.task = after_death(work.task, lost.cause)
        elif work.deaths >= LOSSES:
            work.alone = True
        (self.suspects if work.alone else self.waiting).append(work)


def run_on(
    cluster: Cluster[Any],
    function: Callable[[T], R],
    tasks: Sequence[T],
    *,
    most: Callable[[], int],
    after_death: AfterDeath[T] | None = None,
) -> Iterator[R]:
    """Yield the results of tasks in the order in which they are ready; none is lost, none given twice.

    A task whose machine vanished is submitted again. One at which workers die :data:`LOSSES` times is tried
    alone when all others are done, so that it is not blamed for the memory of the others; if its worker dies
    once more, ``after_death`` tells what to try next.

    Args:
        cluster: The scheduler.
        function: Has to be picklable, as have tasks and results.
        tasks: The tasks.
        most: Largest number of tasks in flight at present; asked again and again, since machines come and go.
        after_death: ``None``: a task whose workers die is an error.

    Raises:
        WorkerError: If a task cannot be done.
        Exception: The first that the function raises.
    """
    at_work = _Round(cluster, function, tasks)
    while at_work.waiting or at_work.suspects or at_work.flying:
        at_work.submit(max(1, most()))
        for handle in cluster.ended(tuple(at_work.flying)):
            work = at_work.flying.pop(handle)
            result = cluster.result(handle)
            if isinstance(result, Lost):
                at_work.lose(work, result, after_death)
            else:
                yield result


def _death(cause: str) -> WorkerError:
    return WorkerError(
        f"a worker died again and again: it {cause}",
        "run the same command again: it continues where it was; fewer jobs need less memory",
    )
