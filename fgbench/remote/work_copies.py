"""Copies of work folders that are kept in a storage, of which only one process at a time changes anything.

A copy has the files of the stages, their plans and the manifests: small ones and tables of clips whole, the
other results as stand-ins until they are read. It is brought to the state of the storage at the beginning;
where a file has changed on both sides, that of the storage counts. What is finished here goes up at once, the
tables of a bucket before the marker that says that they are whole, the index of the manifests last.

Runs, reports and whatever else is in a work folder stay in the copy.
"""

from __future__ import annotations

import logging
import os
import stat
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.naming import counted, first_few, shown
from fgbench.remote.downloads import fetch
from fgbench.remote.filesystems import Opened, opened, persistently
from fgbench.remote.leases import CLOCK, LEASE, Lease, leased
from fgbench.remote.places import Places, folder_for, root_in
from fgbench.remote.stand_ins import is_stand_in_by, put_stand_in
from fgbench.remote.states import State, listed
from fgbench.remote.synced import Step, Synced
from fgbench.remote.urls import refuse_read_only, url_of
from fgbench.workfolders.folder import MARKER, RUN_FILE, claim, refuse_links
from fgbench.workfolders.layout import INDEX, MANIFESTS, PREVIOUS
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

_LOGGER = logging.getLogger(__name__)

_FOLDERS = ("stages", "plans", MANIFESTS)
"""Folders of a work folder that are kept in the storage."""

_TOP = (MARKER, RUN_FILE)
"""Files beside them that are, in the order in which they go up."""

_MARKER = "copy.json"
_KIND = "fgbench-copy"
_INDEX = f"{MANIFESTS}/{INDEX}"
_PREVIOUS = f"{MANIFESTS}/{PREVIOUS}"
_UNKNOWN = Step(0, 1, 0)
_THREADS = 8
_MOST_WAITING = 64
"""Buckets that may wait to go up before the stages wait for the storage."""


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
    _lease: Lease | None = None
    _listed_before: frozenset[str] = frozenset()
    _n_sent: int = 0
    _threads: ThreadPoolExecutor | None = None
    _waiting: deque[Future[None]] = field(default_factory=deque)

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
        self._listed()
        with leased(self.source, self.url, force_unlock=force_unlock) as lease:
            self._lease = lease
            self._threads = ThreadPoolExecutor(_THREADS)
            try:
                yield
            finally:
                self._threads.shutdown(cancel_futures=True)
                self._waiting.clear()
                self._lease = self._threads = None
                self.record.save()

    def pull(self, is_whole: Callable[[str], bool]) -> None:
        """Bring the copy to the state of the storage; files that have changed here alone stay.

        Args:
            is_whole: Whether a file is fetched now, by its path below the work folder; else there is a
                stand-in.

        Raises:
            ConfigError: If what is there, or in the place of the copy, is no work folder.
            ResourceError: If the storage does not answer, or something cannot be written.
        """
        claim(self.workdir)
        states = self._listed()
        with storage.held(
            self.places.folder / "copy.lock",
            f"another process brings {self.places.folder} to the state of {shown(self.url)}",
            hint="wait for it",
            wait_s=600.0,
        ):
            try:
                for name in self.record.items().keys() - states.keys():
                    self._drop(name)
                if self._differs(MARKER, states.get(MARKER), is_whole):  # without it the rest is a stranger's
                    self._fetch({MARKER: states[MARKER]})
                wanted = [name for name, state in states.items() if self._differs(name, state, is_whole)]
                self._fetch({name: states[name] for name in wanted})
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
        self._fetch({name: self.record.state(name) for name in dict.fromkeys(names) if self.is_away(name)})

    def send(self, names: Sequence[str], last: str) -> None:
        """Send the files of a bucket, and at last its marker; it is done meanwhile.

        Args:
            names: Paths below the work folder.
            last: That of the marker.

        Raises:
            ResourceError: If an earlier one could not be sent.
        """
        assert self._threads is not None, "the work folder is not held"
        while self._waiting and (self._waiting[0].done() or len(self._waiting) >= _MOST_WAITING):
            self._waiting.popleft().result()
        self._waiting.append(self._threads.submit(self._send_in_order, [*names, last]))

    def send_results(self) -> None:
        """Send the results and plans that are here and not in the storage, those of earlier runs too.

        Raises:
            ResourceError: If the storage does not take them.
        """
        try:
            while self._waiting:
                self._waiting.popleft().result()
            self._send_in_order(_TOP)
            self._send_rest()
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
        if self._n_sent:
            _LOGGER.info("sent %s to %s", counted(self._n_sent, "file"), shown(self.url))

    def begin(self) -> None:
        """Send the mark of a work folder, before anything else.

        Raises:
            ResourceError: If the storage does not take it.
        """
        self._send_in_order([MARKER])

    def remove(self, names: Iterable[str]) -> None:
        """Delete files in the storage that were deleted here.

        Args:
            names: Paths below the work folder, of files that are recorded; of others nothing is deleted.

        Raises:
            ResourceError: If the storage does not do it.
        """
        with ThreadPoolExecutor(_THREADS) as threads:
            for _ in threads.map(self._remove, [name for name in names if name in self.record.steps]):
                pass
        self.record.save()

    def _listed(self) -> dict[str, State]:
        """Path to state of the files in the storage that belong to a copy.

        Raises:
            ConfigError: If there are files and no work folder.
        """
        try:
            states, _ = listed(self.source, self.url)
        except FileNotFoundError:
            return {}
        others = [name for name in states if name != LEASE and not name.startswith(CLOCK)]
        if others and MARKER not in states:
            raise ConfigError(
                f"{shown(self.url)} is no work folder of fgbench, and not empty: it holds "
                f"{first_few([repr(name) for name in others])}; nothing was changed",
                "choose an empty folder of the storage, a new one, or one that fgbench prepare has made",
            )
        return {name: states[name] for name in states if _belongs(name)}

    def _differs(self, name: str, state: State | None, is_whole: Callable[[str], bool]) -> bool:
        """Whether a file has to be fetched now; where it is not to be, a stand-in is put."""
        if state is None:
            return False
        here, step = self.workdir / name, self.record.steps.get(name)
        status = _status(here)
        if step is not None and step.is_of(state) and status is not None:
            return is_whole(name) and is_stand_in_by(status)
        if step is not None and _was_sent(name, step, state) and step.is_here(status):
            self.record.arrived(name, state)
            return False
        if is_whole(name):
            return True
        put_stand_in(here, state, self.places.incoming)
        self.record.note(name, state, here.lstat())
        return False

    def _fetch(self, states: Mapping[str, State]) -> None:
        def one(name: str) -> None:
            here = self.workdir / name
            try:
                fetch(self.places, self.source, name, states[name])
            except FileNotFoundError:
                here.unlink(missing_ok=True)
                self.record.forget(name)
            else:
                self.record.note(name, states[name], here.lstat())

        if not states:
            return
        with ThreadPoolExecutor(min(_THREADS, len(states))) as threads:
            work = [threads.submit(one, name) for name in states]
            try:
                for done in work:
                    done.result()
            except BaseException:
                threads.shutdown(cancel_futures=True)
                raise

    def _drop(self, name: str) -> None:
        """Forget an object that is gone; its copy goes too where it cannot be sent again."""
        here = self.workdir / name
        if name.startswith(f"{MANIFESTS}/") or self.is_away(name):
            with storage.explained(here):
                here.unlink(missing_ok=True)
        self.record.forget(name)

    def _is_in_step(self, name: str) -> bool:
        step = self.record.steps.get(name)
        return step is not None and step.is_here(_status(self.workdir / name))

    def _send_in_order(self, names: Iterable[str]) -> None:
        """Send files that are here and not in step, one after the other."""
        for name in names:
            if not self._is_in_step(name) and _status(self.workdir / name) is not None:
                self._send(name)

    def _send(self, name: str) -> None:
        here = self.workdir / name

        def attempt() -> None:
            assert self._lease is not None
            self._lease.demand()
            status = here.lstat()
            self.source.upload(here, name)
            self.record.sent(name, status)
            self._n_sent += 1

        persistently(f"{shown(self.url)}/{shown(name)} cannot be written", attempt)

    def _send_all(self, names: Iterable[str]) -> None:
        assert self._threads is not None
        for _ in self._threads.map(self._send, names):
            pass

    def _send_rest(self) -> None:
        """Send the results and plans of earlier runs that did not get so far."""
        for path in sorted((self.workdir / "stages").glob("*/*.json")):
            marker = path.relative_to(self.workdir).as_posix()
            if self._is_in_step(marker):
                continue
            with suppress(ManifestError, KeyError, TypeError, AttributeError):
                outputs = read_sealed(path)["outputs"].values()
                self._send_in_order([*(str(Path(marker).parent / one["file"]) for one in outputs), marker])
        plans = sorted((self.workdir / "plans").rglob("*.json"))
        names = [path.relative_to(self.workdir).as_posix() for path in plans]
        self._send_all(name for name in names if not self._is_in_step(name))

    def _compare_sent(self) -> None:
        """Record the versions of what was sent.

        Raises:
            ResourceError: If something has another size there, or is not there.
        """
        sent = {name: step for name, step in self.record.items().items() if not step.mtime_ns}
        states = self._listed() if sent else {}
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
        names = self._files_of_manifests()
        if not names or self._is_in_step(_INDEX) or _status(self.workdir / _INDEX) is None:
            return False
        self._send_previous(sorted(self._listed_before | names))
        self._remove(_INDEX)
        self._send_all(name for name in sorted(names) if not self._is_in_step(name))
        for name in sorted(self._listed_before - names):
            self._remove(name)
        self._send(_INDEX)
        self._remove(_PREVIOUS)
        self._listed_before = frozenset(names)
        return True

    def _send_previous(self, names: Sequence[str]) -> None:
        """Tell in the storage which files are fgbench's while there is no index."""
        path = self.places.incoming / PREVIOUS
        write_sealed(path, {"files": [name.removeprefix(f"{MANIFESTS}/") for name in names]})
        content = path.read_bytes()
        path.unlink()
        failure = f"{shown(self.url)}/{_PREVIOUS} cannot be written"
        persistently(failure, lambda: self.source.write(_PREVIOUS, content))
        self.record.steps.setdefault(_PREVIOUS, _UNKNOWN)

    def _remove(self, name: str) -> None:
        if name in self.record.steps:
            failure = f"{shown(self.url)}/{shown(name)} cannot be deleted"
            persistently(failure, lambda: self.source.remove(name))
            self.record.forget(name)

    def _files_of_manifests(self) -> set[str]:
        """Paths of the files that the index here lists, or listed while it is being replaced."""
        names: set[str] = set()
        for name in (_INDEX, _PREVIOUS):
            with suppress(FileNotFoundError, ManifestError, KeyError, TypeError):
                names |= {f"{MANIFESTS}/{each}" for each in read_sealed(self.workdir / name)["files"]}
        return names - {_INDEX, _PREVIOUS}


def work_copy(url: str, base: Path) -> WorkCopy:
    """Return the copy of a work folder in a storage; nothing of it is read yet.

    Args:
        url: As :func:`fgbench.remote.urls.url_of` gives it.
        base: Folder of all copies.

    Raises:
        DependencyError: If a package that opens the URL is not installed.
        ResourceError: If it cannot be reached, or the copy cannot be written.
    """
    folder = folder_for(url, base)
    if not (folder / _MARKER).exists():
        storage.write_json(folder / _MARKER, {"kind": _KIND, "url": url})
    return _open(folder, url)


def copy_at(workdir: Path) -> WorkCopy | None:
    """Return the copy whose work folder is at a path; ``None`` for any other folder.

    Raises:
        ManifestError: If its ``copy.json`` is damaged.
        ResourceError: If its storage cannot be reached.
    """
    url = _url_at(workdir)
    return None if url is None else _open(workdir.parent.parent, url)


def _url_at(workdir: Path) -> str | None:
    folder = workdir.parent.parent
    if workdir.parent.name != "data" or not (folder / _MARKER).is_file():
        return None
    content = storage.read_json(folder / _MARKER)
    url = content.get("url") if isinstance(content, dict) and content.get("kind") == _KIND else None
    if not isinstance(url, str) or url_of(url) != url:
        raise ManifestError(
            f"{folder / _MARKER} tells no work folder in a storage", "move its folder away, and name the URL"
        )
    return url if root_in(folder, url) == workdir else None


def named_by(workdir: Path) -> str:
    """URL of the work folder that a folder is the copy of; else the folder.

    Raises:
        ManifestError: If its ``copy.json`` is damaged.
        ResourceError: If that may not be read.
    """
    url = _url_at(workdir)
    return str(workdir) if url is None else url


def _open(folder: Path, url: str) -> WorkCopy:
    places = Places(folder, url, 0)
    return WorkCopy(url, places, opened(url), Synced.read(folder / "synced.json"))


def _was_sent(name: str, step: Step, state: State) -> bool:
    """Whether an object is what was sent by a run that ended before it listed it: a table of a stage, whose
    digest is compared when it is read."""
    is_table = name.startswith("stages/") and name.endswith(".parquet")
    return is_table and not step.mtime_ns and step.size == state.size


def _belongs(name: str) -> bool:
    return name in _TOP or name.partition("/")[0] in _FOLDERS


def _status(path: Path) -> os.stat_result | None:
    """Status of a file; ``None`` if there is none."""
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status if stat.S_ISREG(status.st_mode) else None
