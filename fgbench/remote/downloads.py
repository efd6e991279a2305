"""Objects of a storage downloaded into the mirror, compared with their size and digests.

An object counts as fetched when its size is that of the listing and its MD5 the one that the storage gives.
Tags that look like an MD5 need not be one (those of encrypted objects are not): where two downloads give the
same bytes and another MD5 than the tag, the tags of this storage are no digests. An object that was here
before must have the same SHA-256 again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from fgbench import storage
from fgbench.naming import shown
from fgbench.remote.filesystems import Opened, persistently
from fgbench.remote.places import Places
from fgbench.remote.stand_ins import put_object
from fgbench.remote.states import State

_BLOCK = 1 << 20
_THREADS = 8


def in_threads(work: Callable[[str], None], names: Collection[str]) -> None:
    """Call a function with each of some names, several at a time; after an error no more are begun.

    Raises:
        ResourceError: As the function does.
    """
    if not names:
        return
    with ThreadPoolExecutor(min(_THREADS, len(names))) as threads:
        calls = [threads.submit(work, name) for name in names]
        try:
            for call in calls:
                call.result()
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


class _DamagedError(Exception):
    """A download that is not the object."""


def fetch(places: Places, source: Opened, path: str, state: State) -> None:
    """Download an object into the mirror.

    Args:
        places: The mirror.
        source: Its data set in the storage.
        path: Path of the object below the URL.
        state: Its state.

    Raises:
        FileNotFoundError: If it is gone.
        ResourceError: If it cannot be fetched, or not be written here.
    """
    earlier: list[str] = []

    def into(temporary: Path) -> None:
        def attempt() -> None:
            with suppress(FileNotFoundError):
                temporary.unlink()
            source.download(path, temporary)
            _check(places, temporary, path, state, earlier)

        persistently(f"{shown(places.url)}/{shown(path)} cannot be fetched", attempt)

    put_object(places.root / path, state, places.incoming, into)


def _check(places: Places, file: Path, path: str, state: State, earlier: list[str]) -> None:
    """Compare a downloaded file with what is known of the object.

    Args:
        places: The mirror.
        file: The file.
        path: Path of the object.
        state: State of the object.
        earlier: SHA-256 of earlier downloads of it; this one's is added.

    Raises:
        _DamagedError: If it differs.
    """
    sha256, md5, size = _digests(file)
    if size != state.size:
        raise _DamagedError(f"{size} bytes came, expected {state.size}")
    if state.md5 and md5 != state.md5:
        raise _DamagedError(f"its MD5 is {md5}, expected {state.md5}")
    no_digests = places.folder / "tags-are-no-digests"
    if state.likely_md5 and not state.md5 and md5 != state.likely_md5 and not no_digests.exists():
        if sha256 not in earlier:
            earlier.append(sha256)
            raise _DamagedError(f"its MD5 is {md5}, its tag {state.likely_md5}")
        storage.write_text(no_digests, "Tags of this storage are not the MD5 of what it holds.\n")
    seen = places.record("seen", path)
    version = f"{state.size} {state.mtime_ns}"
    with suppress(FileNotFoundError, ValueError):
        before_version, before = seen.read_text(encoding="ascii").rstrip("\n").rsplit(" ", 1)
        if before_version == version and before != sha256:
            raise _DamagedError(f"its SHA-256 is {sha256}, before it was {before}")
    storage.write_text(seen, f"{version} {sha256}\n")


def _digests(file: Path) -> tuple[str, str, int]:
    """SHA-256 and MD5 (hex), and size of a file."""
    sha256, md5, size = hashlib.sha256(), hashlib.md5(usedforsecurity=False), 0
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            sha256.update(block)
            md5.update(block)
            size += len(block)
    return sha256.hexdigest(), md5.hexdigest(), size
