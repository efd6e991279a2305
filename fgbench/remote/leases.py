"""Leases: an object beside a work folder in a storage names the process that works in it.

The holder writes the object again every few seconds. It is made under the condition that there is none, where
the storage knows conditions (S3, Google, Azure, files over SFTP); and as its holder reads it before each time
that it writes it, also the loser of a race that a storage let through learns so, and writes nothing more.
Times are compared on the clock of the storage alone.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from fgbench.errors import FgbenchError, ResourceError
from fgbench.naming import shown
from fgbench.remote.filesystems import Opened, persistently
from fgbench.remote.states import state_of
from fgbench.storage.holders import BEAT_S, SILENCE_S, Holder, as_holder, this_process
from fgbench.storage.locks import advice

LEASE = ".lease.json"
"""Object in a work folder of a storage that tells who works in it."""

CLOCK = ".lease-clock-"
"""Begin of the names of objects by which the time of the storage is told, for a moment each."""

_MOST_BYTES = 64 * 1024
_NS = 10**9
_TRIES = 5
_WAIT_S = 0.5

_LOGGER = logging.getLogger(__name__)


@dataclass(slots=True)
class Lease:
    """Lease of this process on a work folder in a storage.

    Attributes:
        source: The work folder.
        url: Its URL.
        content: Content of the object.
        has_ended: Whether another process holds it now, or somebody has deleted it.
    """

    source: Opened
    url: str
    content: dict[str, Any]
    has_ended: bool = False
    _shown_at: float = field(default_factory=time.time)
    _stop: threading.Event = field(default_factory=threading.Event)

    def demand(self) -> None:
        """Do nothing while this process holds the lease.

        After a silence (a machine that slept, a storage that did not answer) the storage is asked.

        Raises:
            ResourceError: If it does so no more, or the storage does not answer.
        """
        if not self.has_ended and not 0 <= time.time() - self._shown_at < SILENCE_S / 2:
            self.renew()
        if self.has_ended:
            raise ResourceError(
                f"{shown(self.url)} is not held by this process any more: somebody broke or deleted {LEASE}",
                "nothing more was written there; run the same command again, when nobody else works in it",
            )

    def renew(self) -> None:
        """Show that this process lives.

        Raises:
            ResourceError: If the storage does not answer.
        """
        if not _is_ours(self.source, self.url, self.content):
            self.has_ended = True
            self._stop.set()
            return
        begun = time.time()
        _persistently(self.url, lambda: self.source.write(LEASE, _encoded(self.content)))
        self._shown_at = begun

    def beat(self) -> None:
        """Show again and again that this process lives, until it ends."""
        while not self._stop.wait(BEAT_S):
            with suppress(FgbenchError, OSError):  # it is tried again; whatever is written fails by itself
                self.renew()

    def stop(self) -> None:
        """Show no more that this process lives."""
        self._stop.set()

    def end(self) -> None:
        """Give the work folder back."""
        with suppress(FgbenchError):
            if not self.has_ended and _is_ours(self.source, self.url, self.content):
                _persistently(self.url, lambda: self.source.remove(LEASE))


@contextmanager
def leased(source: Opened, url: str, *, force_unlock: bool = False) -> Iterator[Lease]:
    """Hold a work folder in a storage for this process alone.

    A lease of a process of this machine that is dead is taken over, and said so.

    Args:
        source: The work folder.
        url: Its URL.
        force_unlock: Whether a lease is broken that a silent process of another machine has left.

    Raises:
        ResourceError: If another process holds it, which is named, or the storage does not answer.
    """
    content = {**this_process(), "lease": uuid.uuid4().hex}
    _take(source, url, content, force_unlock=force_unlock)
    lease = Lease(source, url, content)
    thread = threading.Thread(target=lease.beat, name="fgbench-lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        lease.stop()
        thread.join()  # it might write the lease again
        lease.end()


def _take(source: Opened, url: str, content: dict[str, Any], *, force_unlock: bool) -> None:
    for _ in range(_TRIES):
        _make(source, url, content)
        if _is_ours(source, url, content):
            return
        there = _read(source, url)
        holder = None if there is None else as_holder(there, _silence(source, url))
        if there is None or holder is None:
            continue  # given back in this moment
        if holder.is_alive:
            raise _refused(url, holder, is_forced=force_unlock)
        if not holder.is_here and not force_unlock:
            raise _refused(url, holder, is_forced=False)
        if _break(source, url, there):
            _LOGGER.warning("the lease on %s was left by %s; it is broken", shown(url), holder)
    raise ResourceError(
        f"{shown(url)} cannot be held: others take it and give it back",
        "run the same command again, by one process",
    )


def _make(source: Opened, url: str, content: dict[str, Any]) -> None:
    try:
        _persistently(url, lambda: _create(source, LEASE, _encoded(content)))
    except FileNotFoundError as error:
        raise ResourceError(
            f"{shown(url)} cannot be held: there is no such bucket or folder, which fgbench does not make",
            "check the URL, or make the bucket with the tools of the storage",
        ) from error


def _create(source: Opened, name: str, content: bytes) -> None:
    """Make the lease or another object, where there is none."""
    try:
        source.create(name, content)
    except FileExistsError:
        return
    except Exception:  # each storage has its own for "there is one already"
        try:
            source.info(name)
        except FileNotFoundError:
            pass
        else:
            return
        raise


def _read(source: Opened, url: str) -> dict[str, Any] | None:
    """Content of the lease; ``None`` if there is none, or what is there is none of fgbench."""

    def read() -> bytes:
        if int(source.info(LEASE).get("size") or 0) > _MOST_BYTES:
            return b""
        return source.read(LEASE)

    try:
        content = json.loads(_persistently(url, read))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or as_holder(content, 0.0) is None:
        raise ResourceError(
            f"{shown(url)}/{LEASE} tells no holder, as fgbench writes it", "delete it, if nobody works there"
        )
    return content


def _is_ours(source: Opened, url: str, content: dict[str, Any]) -> bool:
    there = _read(source, url)
    return there is not None and there.get("lease") == content["lease"]


def _break(source: Opened, url: str, left: Mapping[str, Any]) -> bool:
    """Delete a lease that was left; of several processes that find it one does, and no newer lease goes.

    Args:
        source: The work folder.
        url: Its URL.
        left: Content of the lease.

    Returns:
        Whether this process did it.
    """
    token = uuid.uuid4().hex
    breaker = f"{CLOCK}break-{hashlib.sha256(_encoded(left)).hexdigest()[:24]}"
    if not _is_breaker(source, url, breaker, token):
        if _silence(source, url, breaker) < SILENCE_S:
            time.sleep(_WAIT_S)
            return False
        _persistently(url, lambda: source.remove(breaker))  # who made it has died in between
        return False
    try:
        if _read(source, url) != left:
            return False
        _persistently(url, lambda: source.remove(LEASE))
        return True
    finally:
        with suppress(FgbenchError):
            _persistently(url, lambda: source.remove(breaker))


def _is_breaker(source: Opened, url: str, breaker: str, token: str) -> bool:
    """Whether this process is the one that may delete a lease: it has made the object that says so."""
    with suppress(FileNotFoundError):
        _persistently(url, lambda: _create(source, breaker, token.encode()))
        return bool(_persistently(url, lambda: source.read(breaker)) == token.encode())
    return False


def _silence(source: Opened, url: str, name: str = LEASE) -> float:
    """Seconds since the lease, or another object, was written, on the clock of the storage."""
    clock = f"{CLOCK}{uuid.uuid4().hex[:12]}"
    try:
        _persistently(url, lambda: source.write(clock, b"now\n"))
        now = _persistently(url, lambda: state_of(source.info(clock)).mtime_ns // _NS)
        then = _persistently(url, lambda: state_of(source.info(name)).mtime_ns // _NS)
    except FileNotFoundError:
        return 0.0
    finally:
        with suppress(FgbenchError):
            _persistently(url, lambda: source.remove(clock))
    return float(max(0, now - then))


def _refused(url: str, holder: Holder, *, is_forced: bool) -> ResourceError:
    refusal = f"another fgbench process is working in {shown(url)}"
    if is_forced:
        refusal = f"the lease on {shown(url)} cannot be broken: it is held"
    return ResourceError(f"{refusal}: {holder}", advice(holder, is_forced=is_forced))


def _encoded(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, indent=1).encode() + b"\n"


def _persistently(url: str, call: Any) -> Any:
    return persistently(f"{shown(url)} cannot be held", call)
