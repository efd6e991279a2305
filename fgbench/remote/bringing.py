"""Copy of a work folder brought to the state of the storage, and what of a work folder belongs to a copy."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fgbench import storage
from fgbench.errors import ConfigError
from fgbench.naming import first_few, shown
from fgbench.remote.downloads import fetch, in_threads
from fgbench.remote.filesystems import Opened
from fgbench.remote.leases import CLOCK, LEASE
from fgbench.remote.places import Places
from fgbench.remote.sending import status_of
from fgbench.remote.stand_ins import is_stand_in_by, put_stand_in
from fgbench.remote.states import State, listed
from fgbench.remote.synced import Step, Synced
from fgbench.workfolders.folder import MARKER, RUN_FILE
from fgbench.workfolders.layout import MANIFESTS

FOLDERS = ("stages", "plans", MANIFESTS)
"""Folders of a work folder that are kept in the storage."""

TOP = (MARKER, RUN_FILE)
"""Files beside them that are, in the order in which they go up."""


def belongs(name: str) -> bool:
    """Whether a file of a work folder is kept in the storage, by its path there."""
    return name in TOP or name.partition("/")[0] in FOLDERS


@dataclass(slots=True)
class Bringer:
    """Way from the storage into a copy.

    Attributes:
        places: Where the copy lies.
        source: The work folder in the storage.
        record: What both have in common; kept up to date.
    """

    places: Places
    source: Opened
    record: Synced

    def listed(self) -> dict[str, State]:
        """Path to state of the files in the storage that belong to a copy.

        Raises:
            ConfigError: If there are files and no work folder.
            ResourceError: If the storage does not answer.
        """
        url = self.places.url
        try:
            states, odd = listed(self.source, url)
        except FileNotFoundError:
            return {}
        others = [name for name in (*states, *odd) if name != LEASE and not name.startswith(CLOCK)]
        if others and MARKER not in states:
            raise ConfigError(
                f"{shown(url)} is no work folder of fgbench, and not empty: it holds "
                f"{first_few([repr(shown(name)) for name in others])}; nothing was changed",
                "choose an empty folder of the storage, a new one, or one that fgbench prepare has made",
            )
        return {name: states[name] for name in states if belongs(name)}

    def bring(self, states: Mapping[str, State], is_whole: Callable[[str], bool]) -> None:
        """Bring the copy to listed states; files that have changed here alone stay.

        Args:
            states: Path below the work folder to state.
            is_whole: Whether a file is fetched now; else there is a stand-in.

        Raises:
            ResourceError: If the storage does not answer, or something cannot be written.
        """
        for name in self.record.items().keys() - states.keys():
            self._drop(name)
        self._drop_stand_ins(states)
        if self._differs(MARKER, states.get(MARKER), is_whole):  # without it the rest is a stranger's
            self.fetch({MARKER: states[MARKER]})
        wanted = [name for name, state in states.items() if self._differs(name, state, is_whole)]
        self.fetch({name: states[name] for name in wanted})

    def fetch(self, states: Mapping[str, State | None]) -> None:
        """Fetch files; those that are gone in the storage, or have no state, are then no more.

        Raises:
            ResourceError: If the storage does not give them, or they cannot be written.
        """

        def one(name: str) -> None:
            here, state = self.places.root / name, states[name]
            try:
                if state is None:
                    raise FileNotFoundError(name)
                fetch(self.places, self.source, name, state)
            except FileNotFoundError:
                with storage.explained(here):
                    here.unlink(missing_ok=True)
                self.record.forget(name)
            else:
                self.record.note(name, state, here.lstat())

        in_threads(one, states)

    def _differs(self, name: str, state: State | None, is_whole: Callable[[str], bool]) -> bool:
        """Whether a file has to be fetched now; where it is not to be, a stand-in is put."""
        if state is None:
            return False
        here, step = self.places.root / name, self.record.steps.get(name)
        status = status_of(here)
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

    def _drop(self, name: str) -> None:
        """Forget an object that is gone; its copy goes too where it cannot be sent again."""
        here = self.places.root / name
        status = status_of(here)
        if status is not None and (name.startswith(f"{MANIFESTS}/") or is_stand_in_by(status)):
            with storage.explained(here):
                here.unlink(missing_ok=True)
        self.record.forget(name)

    def _drop_stand_ins(self, states: Mapping[str, State]) -> None:
        """Delete stand-ins that stand for nothing: a run that was killed did not record them."""
        for path in _files(self.places.root, FOLDERS):
            status = status_of(path)
            name = path.relative_to(self.places.root).as_posix()
            if name not in states and status is not None and is_stand_in_by(status):
                with storage.explained(path):
                    path.unlink(missing_ok=True)


def _files(root: Path, folders: Iterable[str]) -> Iterator[Path]:
    for folder in folders:
        for where, _, names in os.walk(root / folder):
            yield from (Path(where, name) for name in names)


def _was_sent(name: str, step: Step, state: State) -> bool:
    """Whether an object is what was sent by a run that ended before it listed it: a table of a stage, whose
    digest is compared when it is read."""
    is_table = name.startswith("stages/") and name.endswith(".parquet")
    return is_table and not step.mtime_ns and step.size == state.size
