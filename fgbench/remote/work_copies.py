"""Copies of work folders that are kept in a storage, of which only one process at a time changes anything.

A copy has the files of the stages, their plans and the manifests: small ones and tables of clips whole, the
other results as stand-ins until they are read. It is brought to the state of the storage at the beginning;
where a file has changed on both sides, that of the storage counts. What is finished here goes up at once, the
tables of a bucket before the marker that says that they are whole, the index of the manifests last.

Runs, reports and whatever else is in a work folder stay in the copy.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError
from fgbench.naming import counted, shown
from fgbench.remote.bringing import TOP, Bringer
from fgbench.remote.filesystems import Opened
from fgbench.remote.leases import leased
from fgbench.remote.left_results import send_left
from fgbench.remote.places import Places
from fgbench.remote.sending import Sender, status_of
from fgbench.remote.stand_ins import is_stand_in_by
from fgbench.remote.states import is_file_name
from fgbench.remote.synced import Step, Synced
from fgbench.remote.urls import refuse_read_only
from fgbench.workfolders.folder import MARKER, claim, refuse_links
from fgbench.workfolders.layout import INDEX, MANIFESTS, PREVIOUS
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

_LOGGER = logging.getLogger(__name__)

_INDEX = f"{MANIFESTS}/{INDEX}"
_PREVIOUS = f"{MANIFESTS}/{PREVIOUS}"
_UNKNOWN = Step(0, 1, 0)
_PULL_S = 600.0


@dataclass(slots=True)
class WorkCopy:
    """Copy of a work folder in a storage.

    Attributes:
        url: URL of the work folder.
        places: Where the copy lies.
        source: The work folder in the storage.
        record: What both have in common.
    """

    url: str
    places: Places
    source: Opened
    record: Synced
    _sender: Sender | None = None
    _listed_before: frozenset[str] = frozenset()

    @property
    def workdir(self) -> Path:
        """Root of the copy, a work folder."""
        return self.places.root

    @contextmanager
    def held(self, *, force_unlock: bool = False) -> Iterator[None]:
        """Hold the work folder in the storage for this process alone, which may then send files.

        Args:
            force_unlock: See :func:`fgbench.remote.leases.leased`.

        Raises:
            ConfigError: If what is there is no work folder; nothing is written.
            ResourceError: If another process holds it, or the storage does not answer.
        """
        refuse_read_only(self.url)
        self._bringer.listed()
        with leased(self.source, self.url, force_unlock=force_unlock) as lease, self._in_work(_PULL_S):
            self.record.read_again()
            sender = self._sender = Sender(self.workdir, self.url, self.source, self.record, lease)
            try:
                yield
            finally:
                sender.end()
                self._sender = None
                self.record.save()

    @property
    def is_in_work(self) -> bool:
        """Whether another process holds the work folder and changes this copy of it.

        Raises:
            ResourceError: If nothing can be written here, which has to be to tell.
        """
        if self._sender is not None:
            return False
        try:
            with self._in_work(0.0):
                return False
        except _InWorkError:
            return True

    def pull(self, is_whole: Callable[[str], bool]) -> None:
        """Bring the copy to the state of the storage; files that have changed here alone stay.

        Args:
            is_whole: Whether a file is fetched now, by its path below the work folder; else there is a
                stand-in.

        Raises:
            ConfigError: If what is there, or in the place of the copy, is no work folder.
            ResourceError: If the storage does not answer, something cannot be written, or another process
                changes the copy.
        """
        claim(self.workdir)
        states = self._bringer.listed()
        with storage.held(
            self.places.folder / "copy.lock",
            f"another process brings {self.places.folder} to the state of {shown(self.url)}",
            hint="wait for it",
            wait_s=_PULL_S,
        ):
            if self._sender is None:
                if self.is_in_work:
                    raise _InWorkError(*_in_work(self.places.folder, self.url))
                self.record.read_again()
            try:
                self._bringer.bring(states, is_whole)
            finally:
                self.record.save()
        refuse_links(self.workdir)
        self._listed_before = frozenset(self._files_of_manifests())

    def is_away(self, name: str) -> bool:
        """Whether a file of the copy is a stand-in, by its path below the work folder."""
        try:
            return is_stand_in_by((self.workdir / name).lstat())
        except (OSError, ValueError):
            return False

    def fetch(self, names: Iterable[str]) -> None:
        """See to it that files of the copy are here; those that are gone in the storage are then no more.

        Raises:
            ResourceError: If the storage does not give them, or they cannot be written.
        """
        away = [name for name in dict.fromkeys(names) if self.is_away(name)]
        self._bringer.fetch({name: self.record.state(name) for name in away})

    def send(self, names: Sequence[str], last: str) -> None:
        """Send the files of a bucket, and at last its marker; it is done meanwhile.

        Args:
            names: Paths below the work folder.
            last: That of the marker.

        Raises:
            ResourceError: If an earlier one could not be sent.
        """
        self._sending.meanwhile([*names, last])

    def send_results(self) -> None:
        """Send the results and plans that are here and not in the storage, those of earlier runs too.

        Raises:
            ResourceError: If the storage does not take them.
        """
        try:
            self._sending.wait()
            self._sending.in_order(TOP)
            send_left(self._sending)
            self._compare_sent()
        finally:
            self.record.save()

    def finish(self) -> None:
        """Send whatever is here and not in the storage: results, plans, and at last the manifests.

        Raises:
            ResourceError: If the storage does not take it.
        """
        self.send_results()
        try:
            if self._send_manifests():
                self._compare_sent()
        finally:
            self.record.save()
        if n_sent := self._sending.n_sent:
            _LOGGER.info("sent %s to %s", counted(n_sent, "file"), shown(self.url))

    def begin(self) -> None:
        """Send the mark of a work folder, before anything else.

        Raises:
            ResourceError: If the storage does not take it.
        """
        self._sending.in_order([MARKER])

    def remove(self, names: Iterable[str]) -> None:
        """Delete files in the storage that were deleted here.

        Args:
            names: Paths below the work folder, of files that are recorded; of others nothing is deleted.

        Raises:
            ResourceError: If the storage does not do it.
        """
        try:
            self._sending.remove_all(names)
        finally:
            self.record.save()

    @property
    def _bringer(self) -> Bringer:
        return Bringer(self.places, self.source, self.record)

    @property
    def _sending(self) -> Sender:
        assert self._sender is not None, "the work folder is not held"
        return self._sender

    @contextmanager
    def _in_work(self, wait_s: float) -> Iterator[None]:
        """Keep other processes of this machine from changing the copy."""
        message, hint = _in_work(self.places.folder, self.url)
        with storage.held(
            self.places.folder / "work.lock", message, hint=hint, wait_s=wait_s, error=_InWorkError
        ):
            yield

    def _compare_sent(self) -> None:
        """Record the versions of what was sent.

        Raises:
            ResourceError: If something has another size there, or is not there.
        """
        sent = {name: step for name, step in self.record.items().items() if not step.mtime_ns}
        states = self._bringer.listed() if sent else {}
        for name, step in sent.items():
            state = states.get(name)
            if state is None or state.size != step.size:
                self.record.forget(name)
                there = "nothing" if state is None else f"{state.size} bytes"
                raise ResourceError(
                    f"{shown(self.url)}/{shown(name)} was written, {step.size} bytes, and has {there}",
                    "run the same command again, when nobody else writes there",
                )
            self.record.arrived(name, state)

    def _send_manifests(self) -> bool:
        """Send the manifests, unless they are there: the index is removed first, and goes up last."""
        names, sender = self._files_of_manifests(), self._sending
        if not names or sender.is_in_step(_INDEX) or status_of(self.workdir / _INDEX) is None:
            return False
        sender.lease.renew()  # nothing of another process's manifests is to be deleted
        self._send_previous(sorted(self._listed_before | names))
        sender.remove(_INDEX)
        sender.all_of(name for name in sorted(names) if not sender.is_in_step(name))
        sender.remove_all(sorted(self._listed_before - names))
        sender.send(_INDEX)
        sender.remove(_PREVIOUS)
        self._listed_before = frozenset(names)
        return True

    def _send_previous(self, names: Sequence[str]) -> None:
        """Tell in the storage which files are fgbench's while there is no index."""
        path = self.places.incoming / PREVIOUS
        write_sealed(path, {"files": [name.removeprefix(f"{MANIFESTS}/") for name in names]})
        content = path.read_bytes()
        path.unlink()
        self._sending.write(_PREVIOUS, content)
        self.record.steps.setdefault(_PREVIOUS, _UNKNOWN)

    def _files_of_manifests(self) -> set[str]:
        """Paths of the files that the index here lists, or listed while it is being replaced."""
        names: set[str] = set()
        for name in (_INDEX, _PREVIOUS):
            with suppress(FileNotFoundError, ManifestError, KeyError, TypeError):
                names |= {f"{MANIFESTS}/{each}" for each in read_sealed(self.workdir / name)["files"]}
        return {name for name in names if is_file_name(name)} - {_INDEX, _PREVIOUS}


class _InWorkError(ResourceError):
    """Another process changes the copy."""


def _in_work(folder: Path, url: str) -> tuple[str, str]:
    return (
        f"another fgbench process prepares {shown(url)}, and changes {folder}",
        "wait for it, or run the command in another folder, which gets a copy of its own",
    )
