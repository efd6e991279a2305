"""Mirrors of remote data sets: their listing laid out as a local folder, tables whole, clips as stand-ins.

Lists the storage and downloads tables and other small files, of those only what has changed since the last
listing; pictures and videos are left to `fgbench.remote.fetching`.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from fgbench import storage
from fgbench.errors import DatasetError, ManifestError, ResourceError
from fgbench.files.temporaries import remove_temporaries
from fgbench.naming import counted, first_few, shown
from fgbench.remote.downloads import fetch, in_threads
from fgbench.remote.filesystems import Opened, opened
from fgbench.remote.places import Places, folder_for, places_of, read_places
from fgbench.remote.stand_ins import has_state, is_stand_in_by, put_stand_in
from fgbench.remote.states import State, listed
from fgbench.remote.tables import is_table

_REFRESH_S = 600.0
_FIRST_BYTES = 20 * 10**9

_LOGGER = logging.getLogger(__name__)


def mirrored(url: str, base: Path) -> Path:
    """List a remote data set, and return the root of its mirror as it now is.

    Args:
        url: As :func:`fgbench.remote.urls.url_of` gives it.
        base: Folder of all mirrors.

    Raises:
        DatasetError: If the URL has no file.
        DependencyError: If a package that opens the URL is not installed.
        ResourceError: If the storage does not answer or refuses the user, or another process takes long to
            lay out the same mirror.
    """
    source = opened(url)
    folder = folder_for(url, base)
    with storage.exclusive(folder, wait_s=_REFRESH_S):
        try:
            places = read_places(folder)
        except FileNotFoundError:
            places = Places(folder, url, _FIRST_BYTES)
        remove_temporaries(places.incoming)
        try:
            states, odd = listed(source, url)
        except FileNotFoundError:
            states, odd = {}, []
        if not states:
            raise DatasetError(f"{shown(url)} has no file", "check the URL, and that you may list it")
        if odd:
            _LOGGER.warning(
                "%s %s passed over, as no file can have such a name: %s",
                *(counted(len(odd), "object"), "is" if len(odd) == 1 else "are"),
                first_few([shown(name) for name in odd]),
            )
        places.save()
        _lay_out(places, source, states)
    return places.root


def bound(root: Path, kept_gb: float) -> None:
    """Set how much of the clips of a mirror is kept; other folders are left alone.

    Args:
        root: Root of a data set.
        kept_gb: Most space of clips beside those in work, GB (10^9 bytes).

    Raises:
        ResourceError: If it cannot be written.
    """
    places = places_of(root)
    if places is not None:
        replace(places, kept_bytes=int(kept_gb * 1e9)).save()


def origin_of(root: Path) -> str:
    """URL of the data set that a folder mirrors; else the folder."""
    url = url_of_mirror(root)
    return url if url is not None else str(root)


def url_of_mirror(root: Path) -> str | None:
    """URL of the data set that a folder mirrors; ``None`` of another folder."""
    places = places_of(root.absolute())
    return None if places is None else places.url


def _lay_out(places: Places, source: Opened, states: Mapping[str, State]) -> None:
    """Bring the folder of a mirror to the state of the storage."""
    before = _listed_before(places)
    _remove(places, before.keys() - states.keys())
    tables = []
    for path, state in states.items():
        here = places.root / path
        wants_table = is_table(path, state.size)
        with suppress(FileNotFoundError, NotADirectoryError):
            status = here.lstat()
            if has_state(status, state) and not (wants_table and is_stand_in_by(status)):
                continue
            _refuse_own(places, path, status, before)
        _make_way(here)
        if wants_table:
            tables.append(path)
        else:
            put_stand_in(here, state, places.incoming)
    in_threads(lambda path: fetch(places, source, path, states[path]), tables)
    listing = {path: [state.size, state.mtime_ns] for path, state in states.items()}
    if listing != before:
        storage.write_json(places.listing, {"files": listing})


def _listed_before(places: Places) -> dict[str, list[int]]:
    """Path to size and time of the objects that were listed last."""
    try:
        return dict(storage.read_json(places.listing)["files"])
    except (FileNotFoundError, ManifestError, KeyError, TypeError, ValueError):
        return {}


def _refuse_own(places: Places, path: str, status: os.stat_result, before: Mapping[str, list[int]]) -> None:
    """Do nothing where a file of the mirror is as the storage had it.

    Raises:
        ResourceError: If somebody changed it here: it is not overwritten.
    """
    if not stat.S_ISREG(status.st_mode) or is_stand_in_by(status):
        return
    if path in before and before[path] != [status.st_size, status.st_mtime_ns]:
        raise ResourceError(
            f"{places.root / path} was changed here, and is not the file that {shown(places.url)} has",
            "copy it there, or move it away, and run the same command again",
        )


def _remove(places: Places, gone: Iterable[str]) -> None:
    """Delete files of the mirror whose objects are gone, and the folders that become empty."""
    names = sorted(gone)
    storage.remove_listed(places.root, names)
    for name in names:
        folder = (places.root / name).parent
        while folder != places.root and places.root in folder.parents:
            try:
                folder.rmdir()
            except OSError:  # not empty
                break
            folder = folder.parent


def _make_way(here: Path) -> None:
    """Remove empty folders in the place of a file."""
    if here.is_dir() and not here.is_symlink():
        for folder, _, _ in sorted(os.walk(here), reverse=True):
            with suppress(OSError):
                Path(folder).rmdir()
