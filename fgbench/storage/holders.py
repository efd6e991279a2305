"""Holders of folders: a small file beside the lock names the process and shows that it lives.

The holder touches the file every few seconds. So a machine that cannot see the process can still tell a
living one from one that went with its machine; times are compared on the clock of the file system alone.
"""

from __future__ import annotations

import os
import platform
import shlex
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench.errors import ManifestError, ResourceError
from fgbench.files.processes import machine, start_of
from fgbench.files.temporaries import temporary_name
from fgbench.naming import shown
from fgbench.printable import printable_name
from fgbench.storage.json_files import read_json, write_json

HOLDER = ".holder.json"
"""File in a folder that tells who holds it, while it is held."""

BEAT_S = 10.0
"""Seconds after which a holder shows again that it lives."""

SILENCE_S = 60.0
"""Seconds without a sign of life after which the holder on another machine counts as dead."""

_MOST_CHARACTERS = 300
_Text = Annotated[str, Field(max_length=4096)]
_Number = Annotated[int, Field(ge=0, lt=1 << 62)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A process that holds something.

    Attributes:
        host: Name of its machine.
        machine: Digest of the machine, its boot and its container (`fgbench.files.processes.machine`).
        pid: Number of the process there.
        start: Start of the process, which tells it from a later one of the same number.
        since: Time in UTC, ISO 8601.
        command: Its command line.
        facts: Further facts that others compare with their own.
        silent_s: Seconds since its last sign of life.
    """

    host: str
    machine: str
    pid: int
    start: int
    since: str
    command: str
    facts: Mapping[str, str] = field(default_factory=dict)
    silent_s: float = 0.0

    @property
    def is_here(self) -> bool:
        """Whether it is a process of this machine, whether it lives or not."""
        return self.machine == machine()

    @property
    def is_this_process(self) -> bool:
        """Whether it is this process itself."""
        return self.is_here and self.pid == os.getpid()

    @property
    def is_alive(self) -> bool:
        """Whether it lives, as far as can be told; of another machine by its signs of life."""
        if self.is_here:
            return start_of(self.pid) == self.start
        return self.silent_s < SILENCE_S

    def __str__(self) -> str:
        text = f"process {self.pid} on {printable_name(self.host)} since {printable_name(self.since)}"
        text += f" ({printable_name(self.command)})"
        return text if self.is_here else f"{text}, last sign of life {_ago(self.silent_s)}"


class _File(BaseModel):
    """Content of the file."""

    model_config = ConfigDict(extra="ignore", strict=True)

    host: _Text
    machine: _Text
    pid: _Number
    start: _Number
    since: _Text
    command: _Text
    facts: dict[_Text, _Text] = Field(default_factory=dict)


def read_holder(path: Path) -> Holder | None:
    """Read who holds something; ``None`` if nobody says so, or the file is damaged or a link."""
    try:
        if path.is_symlink():
            return None
        return as_holder(read_json(path), _silence(path))
    except (OSError, ManifestError, ResourceError):
        return None


def as_holder(content: object, silent_s: float) -> Holder | None:
    """Return the holder that a file or an object tells; ``None`` if it tells none.

    Args:
        content: Its content, of JSON.
        silent_s: Seconds since it was last written.
    """
    try:
        return Holder(**_File.model_validate(content).model_dump(), silent_s=silent_s)
    except ValidationError:
        return None


@contextmanager
def told(path: Path, facts: Mapping[str, str] | None = None) -> Iterator[None]:
    """Tell in a file that this process holds something, as long as it does; the file is removed at the end.

    It is told as well as may be: a full disk hinders nobody from holding a folder, e.g. to delete files.

    Args:
        path: The file.
        facts: Further facts for others.
    """
    stop = threading.Event()
    inode = None
    with suppress(OSError, ResourceError):
        write_json(path, {**this_process(), "facts": dict(facts or {})})
        inode = path.stat().st_ino
    beating = threading.Thread(target=_beat, args=(path, inode, stop), name="fgbench-holder", daemon=True)
    beating.start()
    try:
        yield
    finally:
        stop.set()
        beating.join()
        if _is(path, inode):
            with suppress(OSError):
                path.unlink()


def _beat(path: Path, inode: int | None, stop: threading.Event) -> None:
    while not stop.wait(BEAT_S):
        if _is(path, inode):
            with suppress(OSError):
                os.utime(path)


def _is(path: Path, inode: int | None) -> bool:
    """Whether a file is still the one that this process wrote, and not that of a later holder."""
    try:
        return inode is not None and path.lstat().st_ino == inode
    except OSError:
        return False


def this_process() -> dict[str, str | int]:
    """Return what this process tells of itself where it holds something, as JSON."""
    pid = os.getpid()
    program = Path(sys.argv[0] or "python").name if sys.argv else "python"
    words = ["fgbench" if program in ("__main__.py", "entry.py") else program, *sys.argv[1:]]
    return {
        "host": shown(platform.node()),
        "machine": machine(),
        "pid": pid,
        "start": start_of(pid) or 0,
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": shown(shlex.join(words))[:_MOST_CHARACTERS],
    }


def _silence(path: Path) -> float:
    """Seconds since a file was touched, on the clock of its file system."""
    clock = temporary_name(path)
    try:
        clock.touch()
        now = clock.stat().st_mtime
    except OSError:
        now = time.time()
    finally:
        with suppress(OSError):
            clock.unlink(missing_ok=True)
    return max(0.0, now - path.stat().st_mtime)


def _ago(seconds: float) -> str:
    for unit, size in (("days", 86400), ("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"
