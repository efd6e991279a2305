"""Folders and files held for one process alone."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.errors import ResourceError
from fgbench.files.file_errors import explained
from fgbench.storage.holders import HOLDER, SILENCE_S, Holder, read_holder, told
from fgbench.storage.whole_files import no_new_file

if TYPE_CHECKING:
    import filelock

LOCK = ".lock"
"""Lock file of a folder."""

_UNLOCKING = ".unlock.lock"
"""Lock file of those who break a lock."""

OF_LOCKS = frozenset({LOCK, HOLDER, _UNLOCKING})
"""Files by which a folder is held; one that holds nothing else counts as empty."""

_LOGGER = logging.getLogger(__name__)


@contextmanager
def exclusive(folder: Path, *, wait_s: float = 0.0) -> Iterator[None]:
    """Hold a folder for this process alone; the system releases it when the process ends, however it ends.

    Args:
        folder: The folder.
        wait_s: Seconds to wait for another process that holds it.

    Raises:
        ResourceError: If another process holds it, which is named, or its file ``.lock`` is a link.
    """
    refusal = f"another fgbench process is working in {folder}"
    with taken(folder / LOCK, folder / HOLDER, refusal, wait_s=wait_s):
        yield


@contextmanager
def taken(
    lock: Path, record: Path, refusal: str, *, wait_s: float = 0.0, facts: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Hold a lock file, and tell in another file who holds it.

    Where locks of the file system do not reach other machines, a living holder that tells so is believed.

    Args:
        lock: The lock file; made with its folder if absent.
        record: The other file, see :func:`fgbench.storage.holders.told`.
        refusal: Message if another process holds it; who that is follows.
        wait_s: Seconds to wait for another process that holds it.
        facts: Further facts to tell.

    Raises:
        ResourceError: If another process holds it, or it cannot be opened.
    """
    until = time.monotonic() + wait_s
    held_file = _acquired(lock, record, refusal, until)
    while (holder := _living_other(record)) is not None:
        held_file.release()
        if time.monotonic() >= until:
            raise _refused(refusal, holder)
        time.sleep(1.0)
        held_file = _acquired(lock, record, refusal, until)
    try:
        with told(record, facts):
            yield
    finally:
        held_file.release()


@contextmanager
def held(
    path: Path, refusal: str, *, hint: str, wait_s: float = 0.0, error: type[ResourceError] = ResourceError
) -> Iterator[None]:
    """Hold a lock file, which is kept; its content is not touched, and it is opened through no link.

    Args:
        path: The file; made with its folder if absent.
        refusal: Message if another process holds it.
        hint: Advice for that case.
        wait_s: Seconds to wait for another process that holds it.
        error: Its class.

    Raises:
        ResourceError: If another process holds it, or it cannot be opened.
    """
    lock = _locked(path, wait_s)
    if lock is None:
        raise error(refusal, hint)
    try:
        yield
    finally:
        lock.release()


def excludes_others(folder: Path) -> bool:
    """Whether a lock on the disk of a folder keeps out who comes second.

    Args:
        folder: An empty folder, which gets a lock file.

    Raises:
        ResourceError: If it cannot be written.
    """
    first = _locked(folder / LOCK, 0.0)
    if first is None:
        return False
    try:
        second = _locked(folder / LOCK, 0.0)
        if second is not None:
            second.release()
        return second is None
    finally:
        first.release()


def force_unlock(folder: Path) -> Holder | None:
    """Break the lock of a folder that a process of another machine has left, and return that process.

    Returns:
        ``None`` if nothing was to be broken.

    Raises:
        ResourceError: If the holder lives, is a process of this machine, or is not known: nothing is broken.
    """
    lock, record = folder / LOCK, folder / HOLDER
    refusal = f"the lock of {folder} cannot be broken"
    with held(folder / _UNLOCKING, refusal, hint="another process is about to break it"):
        holder = read_holder(record)
        held_file = _locked(lock, 0.0)
        if held_file is None and holder is None:
            raise ResourceError(
                f"{refusal}: it is held, and nobody tells by whom",
                "end the fgbench process that holds it; it may be of an earlier version",
            )
        try:
            if holder is None or (holder.is_here and held_file is not None):
                return None  # what a dead process of this machine left hinders nobody
            if holder.is_here or holder.is_alive:
                raise ResourceError(f"{refusal}: it is held by {holder}", advice(holder, is_forced=True))
            if held_file is None:
                lock.unlink(missing_ok=True)
            record.unlink(missing_ok=True)
        finally:
            if held_file is not None:
                held_file.release()
    return holder


def _acquired(lock: Path, record: Path, refusal: str, until: float) -> filelock.BaseFileLock:
    held_file = _locked(lock, max(0.0, until - time.monotonic()))
    if held_file is None:
        raise _refused(refusal, read_holder(record))
    return held_file


def _locked(path: Path, wait_s: float) -> filelock.BaseFileLock | None:
    """Lock a file; ``None`` if another process holds it."""
    import filelock

    lock = filelock.FileLock(path, timeout=wait_s)
    with explained(path):
        with no_new_file(path, path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire()
        except filelock.Timeout:
            return None
    return lock


def _living_other(record: Path) -> Holder | None:
    """Return the living process that tells that it holds what this one has just locked."""
    holder = read_holder(record)
    if holder is None or holder.is_this_process:
        return None
    if holder.is_alive:
        return holder
    if not holder.is_here:
        _LOGGER.warning("the lock in %s was left by %s; it is taken over", record.parent, holder)
    return None


def _refused(refusal: str, holder: Holder | None) -> ResourceError:
    if holder is None:
        return ResourceError(refusal, "wait for it, or choose another work folder")
    return ResourceError(f"{refusal}: {holder}", advice(holder, is_forced=False))


def advice(holder: Holder, *, is_forced: bool) -> str:
    """Return what to do about a folder that another process holds.

    Args:
        holder: The process.
        is_forced: Whether the lock was to be broken.
    """
    if holder.is_here:
        return f"wait for it, or end it (kill {holder.pid})" + ("" if is_forced else _OTHER)
    if holder.is_alive:
        rest = max(1, round(SILENCE_S - holder.silent_s))
        return f"wait for it; if that machine has just died, run the same command again in {rest} s" + (
            "" if is_forced else _OTHER
        )
    return "if that machine is dead, fgbench prepare --force-unlock breaks the lock of a work folder" + _OTHER


_OTHER = "; or choose another work folder"
