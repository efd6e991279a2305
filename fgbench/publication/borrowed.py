"""The data set of a rebuilt work folder: links to one's own clips, at the places that a publication names.

It lies in the work folder as :data:`SOURCE`, with the list of the clips beside the links
(`fgbench.catalogue.carried_listing`), so that the clips' own folder is only read. Links that were made before
are listed, and no other file is replaced or deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from fgbench import storage
from fgbench.catalogue.carried_listing import CARRIED, write_listing, write_unit_source
from fgbench.errors import ManifestError, ResourceError
from fgbench.publication.source_files import Located
from fgbench.records import AuRow, ClipEntry, UnitSource
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

SOURCE = "source"
"""Folder of the links in a work folder."""

_LINKS = "links.json"


def write_borrowed(
    folder: Path,
    clips: Path,
    located: Sequence[Located],
    entries: Iterable[ClipEntry],
    units: Iterable[AuRow] | None,
    source: UnitSource | None,
) -> None:
    """Make a data set of links, or bring one up to date.

    Args:
        folder: The folder, :data:`SOURCE` of a work folder.
        clips: Root of the clips.
        located: Where their files are.
        entries: The clips as the data set lists them.
        units: Labels of action units; ``None`` where there are none.
        source: How those were made.

    Raises:
        ResourceError: If something is in the way that fgbench has not put there, or a folder is a link.
    """
    links = {one.file.path: clips / one.at for one in located if one.at is not None}
    carried = folder / CARRIED
    _refuse_linked(folder, [f"{CARRIED}/{_LINKS}", *links])
    before = _before(carried)
    if before is None and folder.exists() and any(folder.iterdir()):
        raise ResourceError(
            f"{folder} is there, and fgbench rebuild has not made it", "choose another --workdir"
        )
    strange = sorted(name for name in links.keys() - (before or set()) if os.path.lexists(folder / name))
    if strange:
        raise ResourceError(
            f"{folder / strange[0]} is in the way, and fgbench has not written it", "move it away"
        )
    write_sealed(carried / _LINKS, {"links": sorted(links.keys() | (before or set()))})
    storage.remove_listed(folder, sorted((before or set()) - links.keys()))
    for name, target in sorted(links.items()):
        _link(folder / name, target.absolute())
    write_sealed(carried / _LINKS, {"links": sorted(links)})
    if units is None:
        storage.remove_listed(carried, ["action_units.parquet"])
    write_listing(carried, entries, units)
    write_unit_source(carried, source if units is not None else None)


def _before(carried: Path) -> set[str] | None:
    """Links that were made before; ``None`` if there is no list of them."""
    try:
        links = read_sealed(carried / _LINKS).get("links")
    except (FileNotFoundError, NotADirectoryError, ManifestError):
        return None
    return {name for name in links if isinstance(name, str)} if isinstance(links, list) else None


def _refuse_linked(folder: Path, names: Iterable[str]) -> None:
    """Raise if files would be written behind a link, or where a folder would have to be is something else."""
    above = {up for name in names for up in PurePosixPath(name).parents if up != PurePosixPath()}
    for place in (folder, *(folder / up for up in sorted(above))):
        if place.is_symlink() or (place.exists() and not place.is_dir()):
            raise ResourceError(
                f"{place} is a link or a file, expected a folder: nothing is written behind it",
                "move it away, or choose another --workdir",
            )


def _link(path: Path, target: Path) -> None:
    with storage.explained(path):
        if path.is_symlink() and os.readlink(path) == str(target):  # noqa: PTH115 - Path would tidy it
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage.written(path) as temporary:
            temporary.symlink_to(target)
