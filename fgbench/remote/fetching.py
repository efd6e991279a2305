"""Clips of a remote data set, fetched into its mirror when they are worked on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fgbench.errors import MediaError
from fgbench.media.picture_files import picture_names
from fgbench.naming import shown
from fgbench.remote.downloads import fetch
from fgbench.remote.filesystems import Opened, opened, persistently
from fgbench.remote.kept import arranged, keep, pin
from fgbench.remote.places import Places, places_of
from fgbench.remote.stand_ins import has_state, is_stand_in
from fgbench.remote.states import State, state_of

_THREADS = 8


def at_hand(root: Path, relative: str, *, changed: str = "changed_meanwhile") -> None:
    """See to it that a clip of a data set is here; of a data set that is no mirror it always is.

    It stays until this process asks for another one.

    Args:
        root: Root of the data set.
        relative: Path of the clip from there, with ``/``: a file, a folder of pictures, or what is no file,
            e.g. a row of a table.
        changed: Reason of the error if the object is not the one that was listed, or is there no more.

    Raises:
        MediaError: If it is gone, or is another than was listed (reason ``changed``).
        ManifestError: If ``mirror.json`` of the mirror is damaged.
        ResourceError: If the storage does not give it, or it cannot be written here.
    """
    places = places_of(root)
    if places is None:
        return
    files = _files(root, relative)
    if not files:
        return
    with arranged(places):
        pin(places, relative)
        missing = [path for path in files if is_stand_in(root / path)]
    if not missing:
        return
    source = opened(places.url)
    with ThreadPoolExecutor(min(_THREADS, len(missing))) as threads:
        found = threads.map(lambda path: _state(places, source, path, changed), missing)
        states = dict(zip(missing, found, strict=True))
        here = {path: _local_state(root / path) for path in files}
        with arranged(places):
            keep(places, relative, {**here, **states})
        work = [threads.submit(fetch, places, source, path, state) for path, state in states.items()]
        try:
            for path, done in zip(states, work, strict=True):
                try:
                    done.result()
                except FileNotFoundError as error:
                    raise _gone(places, path, changed) from error
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise


def is_away(root: Path, relative: str) -> bool:
    """Whether a clip would have to be fetched; arguments and errors as of :func:`at_hand`."""
    return places_of(root) is not None and any(is_stand_in(root / path) for path in _files(root, relative))


def _files(root: Path, relative: str) -> list[str]:
    """Paths of the files of a clip; none where there is no such file."""
    path = root / relative
    if path.is_dir():
        return [f"{relative}/{name}" for name in picture_names(path)]
    return [relative] if path.is_file() else []


def _state(places: Places, source: Opened, path: str, changed: str) -> State:
    """State of an object now.

    Raises:
        MediaError: If it is not the one that was listed.
        ResourceError: If the storage does not tell.
    """
    failure = f"{shown(places.url)}/{shown(path)} cannot be fetched"
    try:
        state = persistently(failure, lambda: state_of(source.info(path)))
    except FileNotFoundError as error:
        raise _gone(places, path, changed) from error
    if not has_state((places.root / path).stat(), state):
        raise MediaError(
            f"{shown(path)} was exchanged in {shown(places.url)} since it was listed",
            "run fgbench prepare again when nothing writes to the data set",
            reason=changed,
        )
    return state


def _local_state(path: Path) -> State:
    status = path.stat()
    return State(status.st_size, status.st_mtime_ns)


def _gone(places: Places, path: str, changed: str) -> MediaError:
    return MediaError(
        f"{shown(path)} was listed, but is in {shown(places.url)} no more",
        "copy it there again, and run fgbench prepare again",
        reason=changed,
    )
