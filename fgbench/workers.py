"""Worker processes: their tasks, and the handling of a worker that dies.

Workers import nothing from the current directory, do not run the script that started them, ignore
Ctrl-C, and end with the process that started them, even if that is killed. The task of a worker that dies is
known, and so is the signal that killed it; the others go on.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any, TypeVar

from fgbench.errors import WorkerError

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

T = TypeVar("T")
R = TypeVar("R")

AfterDeath = Callable[[T, str], T]
"""Gets a task at which a worker died while no other was at work, and the cause in words; returns the task
to try instead, or raises."""

_LOGGER = "fgbench"
_SAFE_PATH = "PYTHONSAFEPATH"
_starting = threading.Lock()  # what is changed for the start of a process is changed for all threads
_STOP_S = 5.0  # seconds that a worker has to end before it is killed
_LIBRARIES = ("av", "cv2", "numpy", "pandas", "pyarrow.fs", "pyarrow.parquet")
"""Libraries that nearly all workers use. Each imports dlib, which may begin to use a GPU, itself."""


def in_words(exit_code: int | None) -> str:
    """Describe the end of a process, e.g. ``was killed by SIGSEGV (Segmentation fault)``.

    Args:
        exit_code: Exit code of :mod:`multiprocessing` and :mod:`subprocess`: negative for a signal.
    """
    if exit_code is None or exit_code >= 0:
        return f"ended with exit code {exit_code}"
    try:
        name = signal.Signals(-exit_code).name
    except ValueError:
        return f"was killed by signal {-exit_code}"
    description = signal.strsignal(-exit_code) or "unknown"
    if name == "SIGKILL":
        description += "; mostly by the system, since memory ran out"
    return f"was killed by {name} ({description})"


@contextmanager
def safe_path() -> Iterator[None]:
    """Context in which started Python processes do not import from the current directory.

    Without it ``python -c``, by which :mod:`multiprocessing` starts its helpers, takes a file of that name in
    the current directory for a module of the standard library, and runs it.
    """
    before = os.environ.get(_SAFE_PATH)
    os.environ[_SAFE_PATH] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_SAFE_PATH]
        else:
            os.environ[_SAFE_PATH] = before


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Context in which started processes never see Ctrl-C, not even before they can ignore it; this one sees
    it afterwards."""
    if not hasattr(signal, "pthread_sigmask"):  # not on Windows: workers ignore them from their start on
        yield
        return
    resource_tracker.ensure_running()  # it holds interrupts back itself, and lets all through in the end
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _main_left_out() -> Iterator[None]:
    """Context in which started processes do not run the main script of this one.

    :mod:`multiprocessing` has them do so, and a script that calls fgbench without asking for its ``__name__``
    would begin anew in each.
    """
    main = vars(sys.modules["__main__"])
    before: dict[str, Any] = {name: main[name] for name in ("__spec__", "__file__") if name in main}
    main["__spec__"] = None
    main.pop("__file__", None)
    try:
        yield
    finally:
        main.update(before)


def _start_method() -> str:
    """Return how processes start: from a server without threads, or anew where there is none (Windows)."""
    offered = multiprocessing.get_all_start_methods()
    return "forkserver" if "forkserver" in offered else "spawn"


@dataclass(slots=True, eq=False)
class _Worker:
    process: BaseProcess
    connection: Connection[Any, Any]


@dataclass(slots=True)
class _Work:
    number: int
    task: Any
    alone: bool


class Workers:
    """Processes that stay for several rounds of tasks; they start when they are needed.

    On Linux, several are forked from a process that has imported what they need: each costs next to nothing,
    in time and in memory.

    Args:
        jobs: Largest number of processes at a time.
        prepare: Called in each when it starts; has to be picklable.
        modules: Modules of fgbench that the tasks import.
    """

    def __init__(self, jobs: int, prepare: Callable[[], None], *, modules: Sequence[str] = ()) -> None:
        self._jobs = jobs
        self._prepare = prepare
        self._context: Any = multiprocessing.get_context(_start_method())
        if jobs > 1 and sys.platform.startswith("linux"):  # libraries of macOS may not be forked
            self._context.set_forkserver_preload([*_LIBRARIES, *modules])
        self._idle: list[_Worker] = []
        self._busy: dict[_Worker, _Work] = {}

    def run(
        self,
        function: Callable[[T], R],
        tasks: Sequence[T],
        *,
        after_death: AfterDeath[T] | None = None,
    ) -> Iterator[tuple[int, R]]:
        """Number and result of each task, in the order in which they are ready.

        A task at which a worker died is tried once more in a new process when all others are done, so that it
        is not blamed for resources of the others; if that dies too, ``after_death`` says what to try next.

        Args:
            function: Has to be picklable, as have tasks and results.
            tasks: The tasks.
            after_death: ``None``: a dead worker ends the round.

        Raises:
            WorkerError: If a worker dies and ``after_death`` has no remedy.
            Exception: The first that the function raises, with the worker's traceback as a note.
        """
        waiting = deque(_Work(number, task, alone=False) for number, task in enumerate(tasks))
        suspects: deque[_Work] = deque()
        while waiting or suspects or self._busy:
            while waiting and len(self._busy) < self._jobs:
                self._give(waiting.popleft(), self._idle.pop() if self._idle else None, function)
            if not self._busy:
                self._stop_idle()
                self._give(suspects.popleft(), None, function)
            for worker in self._ready():
                try:
                    is_done, result, text = worker.connection.recv()
                except (EOFError, OSError):
                    suspects.append(self._suspect(worker, self._busy.pop(worker), after_death))
                    continue
                if is_done is None:
                    logging.getLogger(result.name).handle(result)
                    continue
                work = self._busy.pop(worker)
                self._idle.append(worker)
                if not is_done:
                    result.add_note(text)
                    raise result
                yield work.number, result

    def stop(self) -> None:
        """End the workers; unfinished tasks are dropped at once."""
        for worker in self._busy:
            worker.process.terminate()
        self._idle += self._busy
        self._busy.clear()
        self._stop_idle()

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        level = logging.getLogger(_LOGGER).getEffectiveLevel()
        process = self._context.Process(target=_serve, args=(theirs, self._prepare, level), daemon=True)
        with _starting, safe_path(), _main_left_out(), _interrupts_held_back():
            process.start()
        theirs.close()
        logging.getLogger(__name__).debug(
            "worker %s started (%s)", process.pid, self._context.get_start_method()
        )
        return _Worker(process, ours)

    def _give(self, work: _Work, worker: _Worker | None, function: Callable[[T], R]) -> None:
        """Send a task to a worker, or to a new one if it died while it was idle."""
        if worker is not None:
            try:
                worker.connection.send((function, work.task))
            except OSError:
                worker.connection.close()
                worker.process.join()
            else:
                self._busy[worker] = work
                return
        fresh = self._start()
        self._busy[fresh] = work
        # A worker that dies at its start is noticed by `_ready`.
        with suppress(OSError):
            fresh.connection.send((function, work.task))

    def _ready(self) -> list[_Worker]:
        """Workers that have answered or died; a connection is at its end when its worker is gone."""
        by_connection = {worker.connection: worker for worker in self._busy}
        return [by_connection[connection] for connection in wait(list(by_connection))]  # type: ignore[index]

    def _suspect(self, worker: _Worker, work: _Work, after_death: AfterDeath[T] | None) -> _Work:
        """Return the task to try after a death, when nothing else is at work."""
        worker.connection.close()
        worker.process.join()
        cause = in_words(worker.process.exitcode)
        if after_death is None:
            raise WorkerError(
                f"a worker process died: it {cause}",
                "run the same command again: it continues where it was; fewer jobs need less memory",
            )
        return _Work(work.number, after_death(work.task, cause) if work.alone else work.task, alone=True)

    def _stop_idle(self) -> None:
        for worker in self._idle:
            worker.connection.close()  # a worker ends when its connection is closed
        for worker in self._idle:
            worker.process.join(_STOP_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
        self._idle.clear()


class _ToStarter(logging.Handler):
    """Sends the records of a worker to the process that started it, as text."""

    def __init__(self, connection: Connection[Any, Any]) -> None:
        super().__init__()
        self._connection = connection

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = record.getMessage(), None
        record.exc_info = record.exc_text = record.stack_info = None
        with suppress(OSError):  # nobody listens any more
            self._connection.send((None, record, ""))


def _serve(connection: Connection[Any, Any], prepare: Callable[[], None], level: int) -> None:
    """Main loop of a worker; what it logs from ``level`` on is logged by the process that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logger = logging.getLogger(_LOGGER)
    logger.setLevel(level)
    logger.propagate = False
    logger.addHandler(_ToStarter(connection))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    prepare()
    while True:
        try:
            function, task = connection.recv()
        except (EOFError, OSError):
            return
        try:
            answer = (True, function(task), "")
        except BaseException as error:
            answer = (False, error, traceback.format_exc())
        try:
            connection.send(answer)
        except OSError:
            return
        except Exception:  # the result cannot be pickled
            text = traceback.format_exc() if answer[0] else answer[2]
            failure = WorkerError(f"a task failed: {text.splitlines()[-1]}", "this is a fault of fgbench")
            connection.send((False, failure, text))


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
