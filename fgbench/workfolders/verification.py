"""Verification of the files of a work folder by their SHA-256.

As hashing all of a large work folder takes minutes, ``.verified.json`` at its top notes size, times and inode
of files whose digest was right; a file whose state is still the noted one is not hashed again. That finds
every write, but not damage by a failing disk: files that are read are therefore hashed in every run that
reads them (`Verified.damaged` with ``all_of``), and all files by ``fgbench check``. Losing the notes costs
time alone.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pydantic import TypeAdapter, ValidationError

from fgbench import storage
from fgbench.files.hashing import digest_file

NOTES = ".verified.json"
"""File with the notes in a work folder."""

State = tuple[int, int, int, int]
"""Size in bytes, times of the last change of content and of anything in ns, and inode."""

_Note = tuple[int, int, int, int, str]
_NOTES: TypeAdapter[dict[str, _Note]] = TypeAdapter(dict[str, _Note])

_TICKS = 25
"""Times that the file system's clock is read to see it advance, 2 ms apart; disks take 1 to 10 ms."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Expected content of a file.

    Attributes:
        workdir: The work folder.
        name: Path of the file from there, with ``/``.
        sha256: Digest of its content.
    """

    workdir: str
    name: str
    sha256: str

    @property
    def path(self) -> str:
        """Path of the file."""
        return f"{self.workdir}/{self.name}"


class DamagedFilesError(Exception):
    """Files that were about to be read do not hold what they should; their maker makes them again.

    Attributes:
        claims: Their expected contents.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        super().__init__(", ".join(claim.name for claim in claims))
        self.claims = tuple(claims)


class Elsewhere(Protocol):
    """Place where files of a work folder are kept, of which only some are here."""

    def is_away(self, name: str) -> bool:
        """Whether a file, named from the work folder, is there and not here; something stands for it."""

    def fetch(self, names: Iterable[str]) -> None:
        """See to it that files are here; those that are not to be had are then absent."""

    def send(self, names: Sequence[str], last: str) -> None:
        """Keep files there that were made here, and at last one that says that they are whole."""


Checked = tuple[Claim, State | None]

Runner = Callable[[Callable[[Claim], Checked], Sequence[Claim]], Iterable[Checked]]
"""Runs a function over claims, possibly in other processes, in any order."""


def state(path: str) -> State | None:
    """State of a regular file; ``None`` if there is none, or a link, which fgbench never writes."""
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino


def hashed(claim: Claim) -> Checked:
    """Hash a file in a worker process: its state if the content is as claimed, else ``None``.

    Raises:
        ResourceError: If it may not be read.
    """
    before = state(claim.path)
    if before is None:
        return claim, None
    path = Path(claim.path)
    try:
        with storage.readable(path):
            is_right = digest_file(path) == claim.sha256
    except OSError:  # gone in the meantime, or a disk that cannot give its bytes
        return claim, None
    return claim, before if is_right and state(claim.path) == before else None


class Verified:
    """Notes on the files of a work folder.

    Args:
        workdir: The work folder.
        elsewhere: Where its files are kept; ``None``: here. Files that are away count as intact until they
            are read.
    """

    def __init__(self, workdir: Path, elsewhere: Elsewhere | None = None) -> None:
        self._elsewhere = elsewhere
        self.workdir = str(workdir)
        self._path = workdir / NOTES
        self._noted: dict[str, _Note] = {}
        with suppress(OSError, ValidationError):
            self._noted = _NOTES.validate_json(self._path.read_bytes(), strict=False)
        self._saved = dict(self._noted)
        self._sure: dict[str, _Note] = {}

    def claim(self, name: str, sha256: str) -> Claim:
        """Claim of a file of this work folder."""
        return Claim(self.workdir, name, sha256)

    def is_noted(self, claim: Claim) -> bool:
        """Whether a file is still in the state in which its digest was last right."""
        note = self._noted.get(claim.name)
        return note is not None and note[4] == claim.sha256 and note[:4] == state(claim.path)

    def has_changed(self, claim: Claim) -> bool:
        """Whether a file with a note has changed since."""
        return claim.name in self._noted and not self.is_noted(claim)

    def note(self, claims: Iterable[Claim]) -> None:
        """Note files that this run has just written or linked: they hold what is claimed."""
        for claim in claims:
            current = state(claim.path)
            if current is not None:
                self._noted[claim.name] = self._sure[claim.name] = (*current, claim.sha256)

    def relinked(self, claims: Iterable[Claim]) -> None:
        """Note that files got or lost another name by this run, which changes a time and no content."""
        for claim in claims:
            note, current = self._noted.get(claim.name), state(claim.path)
            if note is None or current is None or note[4] != claim.sha256:
                continue
            if (note[0], note[1], note[3]) == (current[0], current[1], current[3]):
                sure = self._sure.get(claim.name) == note
                self._noted[claim.name] = (*current, claim.sha256)
                if sure:
                    self._sure[claim.name] = self._noted[claim.name]

    def damaged(self, claims: Iterable[Claim], runner: Runner = map, *, all_of: bool = False) -> list[Claim]:
        """Files that are missing or hold something else, in the order of their names.

        Args:
            claims: Their expected contents.
            runner: Hashes those without a valid note, e.g. in worker processes.
            all_of: Whether to hash all that were not hashed or written in this run, rather than those whose
                state is not the noted one.
        """
        notes = self._sure if all_of else self._noted
        unknown = []
        claims = list(dict.fromkeys(claims))
        if self._elsewhere is not None:
            if all_of:
                self.fetch(claims)
            else:
                claims = [claim for claim in claims if not self._elsewhere.is_away(claim.name)]
        for claim in claims:
            note = notes.get(claim.name)
            if note is None or note[4] != claim.sha256 or note[:4] != state(claim.path):
                unknown.append(claim)
        wrong = []
        for claim, current in runner(hashed, unknown):
            if current is None:
                self.forget([claim.name])
                wrong.append(claim)
            else:
                self._noted[claim.name] = self._sure[claim.name] = (*current, claim.sha256)
        return sorted(wrong, key=lambda claim: claim.name)

    def fetch(self, claims: Iterable[Claim]) -> None:
        """See to it that files are here, where they are kept elsewhere.

        Raises:
            ResourceError: If they cannot be fetched.
        """
        if self._elsewhere is not None:
            self._elsewhere.fetch([claim.name for claim in claims])

    def forget(self, names: Iterable[str]) -> None:
        """Drop the notes on files."""
        for name in names:
            self._noted.pop(name, None)
            self._sure.pop(name, None)

    def noted(self) -> list[Claim]:
        """All notes as claims, whether they still hold or not."""
        return [self.claim(name, note[4]) for name, note in sorted(self._noted.items())]

    def join_saved(self) -> None:
        """Add the notes that other processes have saved meanwhile; own ones stay."""
        with suppress(OSError, ValidationError):
            self._saved = _NOTES.validate_json(self._path.read_bytes(), strict=False)
            self._noted = {**self._saved, **self._noted}

    def save(self) -> None:
        """Write the notes, if they have changed.

        A file changed within the clock tick of its note would look unchanged for ever: so it waits a tick.

        Raises:
            ResourceError: If they cannot be written.
        """
        if self._noted == self._saved:
            return
        kept = {name: note for name, note in self._noted.items() if name in self._sure or self._exists(name)}
        newest = max((max(note[1], note[2]) for name, note in kept.items() if name in self._sure), default=0)
        with storage.written(self._path) as temporary:
            temporary.touch()
            for _ in range(_TICKS):
                if temporary.stat().st_mtime_ns > newest:
                    break
                time.sleep(0.002)
                os.utime(temporary)
            now = temporary.stat().st_mtime_ns
            kept = {name: note for name, note in kept.items() if max(note[1], note[2]) < now}
            temporary.write_bytes(_NOTES.dump_json(dict(sorted(kept.items()))) + b"\n")
        self._noted, self._saved = kept, dict(kept)

    def _exists(self, name: str) -> bool:
        return state(f"{self.workdir}/{name}") is not None
