"""Which files of a work folder are known to hold what was written into them.

A file is known by its SHA-256. As hashing all of a large work folder takes minutes, ``.verified.json`` at its
top notes, for files whose digest was found right, their size, times and inode; a file whose state is still
the noted one is not hashed again. That finds whatever was written to, and not what a failing disk changes by
itself: what is read is therefore hashed in every run that reads it (`Verified.damaged` with ``all_of``), and
so is everything by ``fgbench check``. Losing the notes costs time alone.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fgbench import storage
from fgbench.files.hashing import digest_file

NOTES = ".verified.json"
"""File in a work folder with what was noted."""

State = tuple[int, int, int, int]
"""Size in bytes, times of the last change of content and of anything in ns, and inode."""

_Note = tuple[int, int, int, int, str]
_NOTES: TypeAdapter[dict[str, _Note]] = TypeAdapter(dict[str, _Note])

_TICKS = 25
"""Times that the file system's clock is asked whether it went on, 2 ms apart; disks take 1 to 10 ms."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What a file should hold.

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
    """Files that were about to be read do not hold what they should; whoever made them makes them again.

    Attributes:
        claims: What they should hold.
    """

    def __init__(self, claims: Sequence[Claim]) -> None:
        super().__init__(", ".join(claim.name for claim in claims))
        self.claims = tuple(claims)


Found = tuple[Claim, State | None]

Runner = Callable[[Callable[[Claim], Found], Sequence[Claim]], Iterable[Found]]
"""Runs a function over claims, possibly in other processes, in any order."""


def state(path: str) -> State | None:
    """State of a regular file; ``None`` if there is none, or a link, which is never one of ours."""
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino


def hashed(claim: Claim) -> Found:
    """Hash a file: its state if it holds what is claimed, else ``None``; the work of a worker process.

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
    """What is known of the files of a work folder.

    Args:
        workdir: The work folder.
    """

    def __init__(self, workdir: Path) -> None:
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
        """Whether a file is still as it was when its digest was last found right."""
        note = self._noted.get(claim.name)
        return note is not None and note[4] == claim.sha256 and note[:4] == state(claim.path)

    def has_changed(self, claim: Claim) -> bool:
        """Whether a file of which something was noted is another now."""
        return claim.name in self._noted and not self.is_noted(claim)

    def note(self, claims: Iterable[Claim]) -> None:
        """Take down that files hold what is claimed: this run has just written them, or their other names."""
        for claim in claims:
            found = state(claim.path)
            if found is not None:
                self._noted[claim.name] = self._sure[claim.name] = (*found, claim.sha256)

    def relinked(self, claims: Iterable[Claim]) -> None:
        """Take down that files got or lost another name by this run, which changes a time and no content."""
        for claim in claims:
            note, found = self._noted.get(claim.name), state(claim.path)
            if note is None or found is None or note[4] != claim.sha256:
                continue
            if (note[0], note[1], note[3]) == (found[0], found[1], found[3]):
                sure = self._sure.get(claim.name) == note
                self._noted[claim.name] = (*found, claim.sha256)
                if sure:
                    self._sure[claim.name] = self._noted[claim.name]

    def damaged(self, claims: Iterable[Claim], runner: Runner = map, *, all_of: bool = False) -> list[Claim]:
        """Files that are not there or hold something else, in the order of their names.

        Args:
            claims: What they should hold.
            runner: Hashes those of which it is not known, e.g. in worker processes.
            all_of: Whether to hash all that were not hashed or written in this run, rather than those whose
                state is not the noted one.
        """
        known = self._sure if all_of else self._noted
        unknown = []
        for claim in dict.fromkeys(claims):
            note = known.get(claim.name)
            if note is None or note[4] != claim.sha256 or note[:4] != state(claim.path):
                unknown.append(claim)
        wrong = []
        for claim, found in runner(hashed, unknown):
            if found is None:
                self.forget([claim.name])
                wrong.append(claim)
            else:
                self._noted[claim.name] = self._sure[claim.name] = (*found, claim.sha256)
        return sorted(wrong, key=lambda claim: claim.name)

    def forget(self, names: Iterable[str]) -> None:
        """Know nothing of files."""
        for name in names:
            self._noted.pop(name, None)
            self._sure.pop(name, None)

    def noted(self) -> list[Claim]:
        """What was noted, whether it still holds or not."""
        return [self.claim(name, note[4]) for name, note in sorted(self._noted.items())]

    def save(self) -> None:
        """Write the notes, if they have changed.

        A file written to in the very tick of the clock in which it was noted would look unchanged for ever:
        so the clock is first let go on.

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
