"""Record of what a copy of a work folder and the storage have in common, file by file.

A file is in step when the object has the version that the record tells, and the file here the size and the
time. So it is known which of both has changed since, without reading either.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.remote.states import State, is_file_name

_RECORD: TypeAdapter[dict[str, tuple[int, int, int]]] = TypeAdapter(dict[str, tuple[int, int, int]])


@dataclass(frozen=True, slots=True)
class Step:
    """State of an object, and of the file that is its copy.

    Attributes:
        size: Bytes of both.
        mtime_ns: Time that stands for the version of the object (`fgbench.remote.states`); 0 of one that was
            written and not listed since.
        here_ns: Time of the last change of the file, ns since 1970.
    """

    size: int
    mtime_ns: int
    here_ns: int

    def is_of(self, state: State) -> bool:
        """Whether an object has the version that is recorded."""
        return (self.size, self.mtime_ns) == (state.size, state.mtime_ns)

    def is_here(self, status: os.stat_result | None) -> bool:
        """Whether a file is as recorded."""
        return status is not None and (self.size, self.here_ns) == (status.st_size, status.st_mtime_ns)


@dataclass(slots=True)
class Synced:
    """Record of a copy; may be used by several threads.

    Attributes:
        path: File of the record.
        is_known: Whether a path below the work folder may be one of a copy; others are passed over, as a
            damaged record may tell any.
        steps: Path below the work folder to what is recorded of it.
    """

    path: Path
    is_known: Callable[[str], bool]
    steps: dict[str, Step] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def read(cls, path: Path, is_known: Callable[[str], bool]) -> Synced:
        """Read a record; an empty one where there is none, or it is damaged: then all is compared anew."""
        record = cls(path, is_known)
        record.read_again()
        return record

    def read_again(self) -> None:
        """Take what the file says, which another process may have written meanwhile."""
        try:
            found = _RECORD.validate_python(storage.read_json(self.path).get("files"))
        except (FileNotFoundError, ManifestError, ValidationError, AttributeError):
            found = {}
        with self._lock:
            self.steps = {
                name: Step(*numbers)
                for name, numbers in found.items()
                if is_file_name(name) and self.is_known(name)
            }

    def sent(self, name: str, status: os.stat_result) -> None:
        """Record that a file was written into the storage."""
        self.note(name, State(status.st_size, 0), status)

    def note(self, name: str, state: State, status: os.stat_result) -> None:
        """Record that a file is the copy of an object in a state."""
        with self._lock:
            self.steps[name] = Step(state.size, state.mtime_ns, status.st_mtime_ns)

    def arrived(self, name: str, state: State) -> None:
        """Record the version of an object that was written."""
        with self._lock:
            self.steps[name] = Step(state.size, state.mtime_ns, self.steps[name].here_ns)

    def forget(self, name: str) -> None:
        """Record nothing of a file any more."""
        with self._lock:
            self.steps.pop(name, None)

    def state(self, name: str) -> State | None:
        """State of the object that a file is the copy of; ``None`` if nothing is recorded."""
        step = self.steps.get(name)
        return None if step is None else State(step.size, step.mtime_ns)

    def items(self) -> Mapping[str, Step]:
        """All that is recorded, as it is now."""
        with self._lock:
            return dict(self.steps)

    def save(self) -> None:
        """Write the record.

        Raises:
            ResourceError: If it cannot be written.
        """
        files = {name: list(astuple(step)) for name, step in sorted(self.items().items())}
        storage.write_json(self.path, {"files": files})
