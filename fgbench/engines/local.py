"""Engine ``local``: the tasks of a stage in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import Protocol, TypeVar

from fgbench.errors import WorkerError

T = TypeVar("T")
R = TypeVar("R")


class Runner(Protocol):
    """Runs a function over tasks."""

    def __call__(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        """Results in the order in which they are ready."""


@contextmanager
def start(jobs: int) -> Iterator[Runner]:
    """A runner with ``jobs`` worker processes; with one, the work is done in this process.

    Workers start when the first task comes and end with this process, even if it is killed.

    Args:
        jobs: Number of worker processes.
    """
    if jobs <= 1:
        yield _in_process
        return
    context = multiprocessing.get_context("forkserver")
    pool = ProcessPoolExecutor(jobs, mp_context=context, initializer=_start_worker)

    def run(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        return _in_pool(pool, function, tasks, ahead=2 * jobs)

    try:
        yield run
    except BaseException:
        # Tasks in hand are given up at once: their files appear whole or not at all.
        for worker in list((getattr(pool, "_processes", None) or {}).values()):
            worker.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _in_process(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    if tasks:
        limit_threads()
    return map(function, tasks)


def _in_pool(
    pool: ProcessPoolExecutor, function: Callable[[T], R], tasks: Sequence[T], *, ahead: int
) -> Iterator[R]:
    waiting = list(reversed(tasks))
    running: set[Future[R]] = set()
    try:
        while waiting or running:
            while waiting and len(running) < ahead:
                running.add(pool.submit(function, waiting.pop()))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    except BrokenProcessPool as error:
        raise WorkerError(
            "a worker process died (killed, out of memory, or a crash in a library)",
            "run the same command again: it continues where it was; fewer --jobs need less memory",
        ) from error


def _start_worker() -> None:
    """Prepare a worker: one thread, no part in Ctrl-C, and an end when the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limit_threads()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def limit_threads() -> None:
    """Keep OpenCV from starting threads of its own: parallel work is done by processes."""
    import cv2

    cv2.setNumThreads(1)
