"""The data set of a rebuilt work folder: links to the user's clips, at the paths that a publication names.

It lies in the work folder as :data:`SOURCE`, with the list of the clips beside the links
(`fgbench.catalogue.carried_listing`), so that the folder of the clips is only read. The links are listed, and
no other file is replaced or deleted.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from fgbench import storage
from fgbench.catalogue.carried_listing import CARRIED, write_listing, write_origin
from fgbench.errors import ManifestError, ResourceError
from fgbench.publication.folder_checks import refuse_linked
from fgbench.publication.source_files import Located
from fgbench.records import AuRow, ClipEntry, UnitSource
from fgbench.workfolders.sealed_json import read_sealed, write_sealed

SOURCE = "source"
"""Folder of the links in a work folder."""

_LINKS = "links.json"


def write_clip_links(
    folder: Path,
    clips: Path,
    located: Sequence[Located],
    entries: Iterable[ClipEntry],
    units: Iterable[AuRow] | None,
    source: UnitSource | None,
    annotators: str,
) -> None:
    """Write a data set of links, or update one.

    Args:
        folder: The folder, :data:`SOURCE` of a work folder.
        clips: Root of the clips.
        located: Their files and where they are.
        entries: The clips as the data set lists them.
        units: Labels of action units; ``None`` where there are none.
        source: How those labels were made.
        annotators: Form of the names of annotators.

    Raises:
        ResourceError: If a file that fgbench has not written is in the way, or a folder is a link.
    """
    links = {one.file.path: clips / one.at for one in located if one.at is not None}
    carried = folder / CARRIED
    refuse_linked(folder, [f"{CARRIED}/{_LINKS}", *links], "move it away, or choose another work folder")
    listed = _listed_links(carried)
    if listed is None and folder.exists() and any(folder.iterdir()):
        raise ResourceError(
            f"{folder} is there, and fgbench rebuild has not made it", "choose another --workdir"
        )
    earlier = listed or set()
    foreign = sorted(name for name in links.keys() - earlier if os.path.lexists(folder / name))
    if foreign:
        raise ResourceError(
            f"{folder / foreign[0]} is in the way, and fgbench has not written it", "move it away"
        )
    write_sealed(carried / _LINKS, {"links": sorted(links.keys() | earlier)})
    storage.remove_listed(folder, sorted(earlier - links.keys()))
    for name, target in sorted(links.items()):
        _link(folder / name, target.absolute())
    write_sealed(carried / _LINKS, {"links": sorted(links)})
    if units is None:
        storage.remove_listed(carried, ["action_units.parquet"])
    write_listing(carried, entries, units)
    write_origin(carried, source if units is not None else None, annotators)


def _listed_links(carried: Path) -> set[str] | None:
    """Return the links of an earlier rebuild; ``None`` if there is no list of them."""
    try:
        links = read_sealed(carried / _LINKS).get("links")
    except (FileNotFoundError, NotADirectoryError, ManifestError):
        return None
    return {name for name in links if isinstance(name, str)} if isinstance(links, list) else None


def _link(path: Path, target: Path) -> None:
    with storage.explained(path):
        if path.is_symlink() and os.readlink(path) == str(target):  # noqa: PTH115 - Path would tidy it
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with storage.written(path) as temporary:
            temporary.symlink_to(target)
