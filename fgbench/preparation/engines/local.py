"""Engine ``local``: the tasks of a stage in processes of this machine."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Protocol, TypeVar

from fgbench.errors import ConfigError
from fgbench.workers import AfterDeath, Workers

T = TypeVar("T")
R = TypeVar("R")

_LEAST_MEMORY_GB = 2.0  # the libraries alone take about one; some of them wait for ever with less
_MOST_MEMORY_GB = 65536.0
_STAGES = tuple(
    f"fgbench.preparation.stages.{name}"
    for name in ("augment", "consensus", "faces", "ingest", "lbp", "sample", "split")
)


class Runner(Protocol):
    """Runs a function over tasks."""

    def __call__(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        after_death: AfterDeath[T] | None = None,
        is_risky: Callable[[T], bool] | None = None,
    ) -> Iterator[R]:
        """Yield results in the order in which they are ready.

        Args:
            function: The work.
            tasks: Its arguments, one per call.
            after_death: Returns the task to try after a worker died, see :meth:`Workers.run`; ``None``: a
                dead worker is an error.
            is_risky: Whether a task must not be done in this process, since it may die of it.
        """


@contextmanager
def start(jobs: int, *, memory_gb: float | None = None) -> Iterator[Runner]:
    """Start a runner with ``jobs`` worker processes; with one, the work is done in this process.

    Workers start when the first task comes and end with this process, even if it is killed.

    Args:
        jobs: Number of worker processes.
        memory_gb: Most memory of each, GB (10^9 bytes); more is a ``MemoryError`` there. ``None`` is without
            limit. Works on Linux only.

    Raises:
        ConfigError: If the limit is too low for any work, or too high.
    """
    check_memory(memory_gb)
    # A limit needs a separate process: this one has to live on where the work does not fit.
    is_here = jobs <= 1 and memory_gb is None
    workers = Workers(max(1, jobs), partial(_prepare, memory_gb), modules=_STAGES)

    def in_workers(
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        after_death: AfterDeath[T] | None = None,
        is_risky: Callable[[T], bool] | None = None,
    ) -> Iterator[R]:
        for _, result in workers.run(function, tasks, after_death=after_death):
            yield result

    def in_process(
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        after_death: AfterDeath[T] | None = None,
        is_risky: Callable[[T], bool] | None = None,
    ) -> Iterator[R]:
        if tasks:
            limit_threads()
        for task in tasks:
            if is_risky is not None and is_risky(task):
                yield from in_workers(function, [task], after_death=after_death)
            else:
                yield function(task)

    try:
        yield in_process if is_here else in_workers
    finally:
        # Unfinished tasks are dropped at once: their files appear whole or not at all.
        workers.stop()


def _prepare(memory_gb: float | None) -> None:
    """Prepare a worker: one thread, and its share of the memory."""
    limit_threads()
    if memory_gb is not None:
        limit_memory(memory_gb)


def check_memory(memory_gb: float | None) -> None:
    """Check a limit on the memory of a worker, GB; ``None`` is none.

    Raises:
        ConfigError: If it is too low for any work, or too high.
    """
    if memory_gb is not None and not _LEAST_MEMORY_GB <= memory_gb <= _MOST_MEMORY_GB:
        raise ConfigError(
            f"{memory_gb:g} GB of memory for a worker, expected {_LEAST_MEMORY_GB:g} to {_MOST_MEMORY_GB:g}",
            "choose another --worker-memory, or leave it out",
        )


def limits_memory() -> bool:
    """Whether this system can limit the memory of a process; elsewhere workers have no limit."""
    try:
        import resource
    except ImportError:
        return False
    return sys.platform.startswith("linux") and hasattr(resource, "RLIMIT_DATA")


def limit_notes(memory_gb: float | None) -> list[str]:
    """Return a sentence for the user where the limit that was asked for does not hold.

    Args:
        memory_gb: The limit, GB; ``None`` if none was asked for.
    """
    if memory_gb is None or limits_memory():
        return []
    return [f"--worker-memory {memory_gb:g} has no effect: this system limits the memory of no process"]


def limit_memory(memory_gb: float) -> None:
    """Let this process take no more memory than that: the next request fails, and the process lives on."""
    if not limits_memory():
        return
    import resource

    n_bytes = int(memory_gb * 1e9)
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, most))


def limit_threads() -> None:
    """Keep OpenCV from starting threads of its own: parallel work is done by processes."""
    import cv2

    cv2.setNumThreads(1)
