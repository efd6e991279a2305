"""Clips of a mirror that are here: which processes work on which, and which give way to others.

The least recently used make room first; those that a living process works on stay. Each process works on one
clip at a time, and its pin names that clip.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.processes import machine, start_of
from fgbench.remote.places import Places
from fgbench.remote.stand_ins import has_state, is_stand_in_by, put_stand_in
from fgbench.remote.states import State

_PIN = re.compile(r"([0-9a-f]{8})-([0-9]{1,10})-([0-9]{1,20})")
_ELSEWHERE_S = 24 * 3600.0
"""Seconds after which a process of another machine counts as done with its clip."""
_WAIT_S = 600.0


@contextmanager
def arranged(places: Places) -> Iterator[None]:
    """Hold the order of what is kept; short, and never during a download.

    Raises:
        ResourceError: If another process holds it for long.
    """
    with storage.held(
        places.folder / "kept.lock",
        f"another process arranges {places.folder} for more than {_WAIT_S / 60:.0f} minutes",
        hint="end it if it hangs",
        wait_s=_WAIT_S,
    ):
        yield


def pin(places: Places, clip: str) -> None:
    """Note that this process works on a clip, and on none that it worked on before."""
    pid = os.getpid()
    name = f"{machine()}-{pid}-{start_of(pid) or 0}"
    storage.write_text(places.folder / "pins" / name, _hash(places, clip))
    for record in _records(places, clip):
        with suppress(OSError):
            os.utime(record)


def keep(places: Places, clip: str, states: Mapping[str, State]) -> None:
    """Make room for a clip, and note that it is about to be here; called while the order is held.

    Args:
        places: The mirror.
        clip: Path of the clip below the root.
        states: Path to state of its files.

    Raises:
        ResourceError: If something cannot be written.
    """
    size = sum(state.size for state in states.values())
    for old in _records(places, clip):
        old.unlink()
    _make_room(places, size)
    files = {path: [state.size, state.mtime_ns] for path, state in states.items()}
    storage.write_json(_folder(places) / f"{_hash(places, clip)}-{size}", {"files": files})


@dataclass(frozen=True, slots=True)
class _Record:
    path: Path
    clip: str
    size: int
    used_ns: int


def _make_room(places: Places, size: int) -> None:
    """Put stand-ins in the place of clips until another fits, or only those in work are left."""
    records = []
    with suppress(FileNotFoundError), os.scandir(_folder(places)) as entries:
        for entry in entries:
            clip, _, number = entry.name.partition("-")
            if number.isdigit():
                used_ns = entry.stat().st_mtime_ns
                records.append(_Record(Path(entry.path), clip, int(number), used_ns))
    total = sum(record.size for record in records)
    if total + size <= places.kept_bytes:
        return
    pinned = _pinned(places)
    for record in sorted(records, key=lambda one: (one.used_ns, one.clip)):
        if total + size <= places.kept_bytes:
            return
        if record.clip not in pinned:
            _give_up(places, record.path)
            total -= record.size


def _give_up(places: Places, record: Path) -> None:
    """Put stand-ins in the place of the files of a clip; one that was changed here is left alone."""
    try:
        files: Mapping[str, Any] = storage.read_json(record)["files"]
        states = {str(path): State(int(size), int(time_ns)) for path, (size, time_ns) in files.items()}
    except (ManifestError, KeyError, TypeError, ValueError, AttributeError):
        states = {}
    for path, state in states.items():
        here = places.root / path
        with suppress(FileNotFoundError, NotADirectoryError):
            status = here.lstat()
            if has_state(status, state) and not is_stand_in_by(status):
                put_stand_in(here, state, places.incoming)
    record.unlink(missing_ok=True)


def _pinned(places: Places) -> set[str]:
    """Digests of the paths of clips that living processes work on; pins of dead ones are removed."""
    found = set()
    for path in sorted((places.folder / "pins").iterdir()):
        match = _PIN.fullmatch(path.name)
        if match is None:
            continue
        with suppress(FileNotFoundError):
            if match[1] == machine():
                lives = start_of(int(match[2])) in (int(match[3]), 0)
            else:
                lives = time.time() - path.stat().st_mtime < _ELSEWHERE_S
            if lives:
                found.add(path.read_text(encoding="ascii"))
            else:
                path.unlink()
    return found


def _folder(places: Places) -> Path:
    return places.folder / "kept"


def _hash(places: Places, clip: str) -> str:
    return places.record("kept", clip).name


def _records(places: Places, clip: str) -> list[Path]:
    return list(_folder(places).glob(f"{_hash(places, clip)}-*"))
