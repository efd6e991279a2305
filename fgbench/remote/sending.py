"""Files of the copy of a work folder sent into the storage, or deleted there, by who holds it.

A stand-in is never sent: it is an empty file that stands for an object.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.errors import ResourceError
from fgbench.naming import shown
from fgbench.remote.filesystems import Opened, persistently
from fgbench.remote.leases import Lease
from fgbench.remote.stand_ins import is_stand_in_by
from fgbench.remote.synced import Synced

_THREADS = 8
"""Files that are sent or fetched at a time."""

_MOST_WAITING = 64
"""Buckets that may wait to go up before the stages wait for the storage."""


@dataclass(slots=True)
class Sender:
    """Way of a copy into the storage; every call asks first whether the work folder is still held.

    Attributes:
        workdir: Root of the copy.
        url: URL of the work folder.
        source: The work folder in the storage.
        record: What both have in common; kept up to date.
        lease: Lease of this process on the work folder.
        n_sent: Number of files that were sent.
    """

    workdir: Path
    url: str
    source: Opened
    record: Synced
    lease: Lease
    n_sent: int = 0
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(_THREADS))
    _waiting: deque[Future[None]] = field(default_factory=deque)

    def is_in_step(self, name: str) -> bool:
        """Whether there is nothing to send of a file: it is recorded as sent or fetched, or a stand-in."""
        status = status_of(self.workdir / name)
        if status is not None and is_stand_in_by(status):
            return True
        step = self.record.steps.get(name)
        return step is not None and step.is_here(status)

    def in_order(self, names: Iterable[str]) -> None:
        """Send files that are here and not in step, one after the other.

        Raises:
            ResourceError: If the storage does not take one, or the work folder is not held any more.
        """
        for name in names:
            if not self.is_in_step(name) and status_of(self.workdir / name) is not None:
                self.send(name)

    def meanwhile(self, names: Sequence[str]) -> None:
        """Send files one after the other, while this process goes on.

        Raises:
            ResourceError: If earlier ones could not be sent.
        """
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= _MOST_WAITING):
            self._waiting.popleft().result()
        self._waiting.append(self._threads.submit(self.in_order, names))

    def wait(self) -> None:
        """Wait for what is sent meanwhile.

        Raises:
            ResourceError: If something could not be sent.
        """
        while self._waiting:
            self._waiting.popleft().result()

    def all_of(self, names: Iterable[str]) -> None:
        """Send files, in any order; errors as of :meth:`in_order`."""
        for _ in self._threads.map(self.send, names):
            pass

    def send(self, name: str) -> None:
        """Send a file; errors as of :meth:`in_order`."""
        here = self.workdir / name

        def attempt() -> None:
            status = status_of(here)
            if status is None or is_stand_in_by(status):
                raise ResourceError(
                    f"{here} was deleted or exchanged while it was sent to {shown(self.url)}",
                    "run the same command again, and let nobody else change its files",
                )
            self.source.upload(here, name)
            self.record.sent(name, status)
            self.n_sent += 1

        self._held(f"{shown(self.url)}/{shown(name)} cannot be written", attempt)

    def write(self, name: str, content: bytes) -> None:
        """Write an object that is no file here; errors as of :meth:`in_order`."""
        failure = f"{shown(self.url)}/{shown(name)} cannot be written"
        self._held(failure, lambda: self.source.write(name, content))

    def remove(self, name: str) -> None:
        """Delete an object that is recorded, no other; errors as of :meth:`in_order`."""
        if name in self.record.steps:
            failure = f"{shown(self.url)}/{shown(name)} cannot be deleted"
            self._held(failure, lambda: self.source.remove(name))
            self.record.forget(name)

    def remove_all(self, names: Iterable[str]) -> None:
        """Delete objects that are recorded; errors as of :meth:`in_order`."""
        for _ in self._threads.map(self.remove, names):
            pass

    def end(self) -> None:
        """Send nothing more; what has begun is waited for."""
        self._threads.shutdown(cancel_futures=True)
        self._waiting.clear()

    def _held(self, failure: str, call: Callable[[], None]) -> None:
        def attempt() -> None:
            self.lease.demand()
            call()

        try:
            persistently(failure, attempt)
        except FileNotFoundError as error:
            raise ResourceError(f"{failure}: there is no such bucket or folder", "check the URL") from error


def status_of(path: Path) -> os.stat_result | None:
    """Status of a file; ``None`` if there is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None
