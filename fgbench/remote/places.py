"""Places of a mirror of a remote data set: what lies where in its folder.

Layout of a mirror, by default ``fgbench-data/remote/<name>-<digest of the URL>``::

    mirror.json          the URL, and how many bytes of clips are kept
    listing.json         paths of the remote objects, as they were listed last
    data/<name>/         the data set: tables, clips in work, and stand-ins for all other clips
    kept/, pins/         which clips are here and when they were last used; which processes work on which
    seen/                SHA-256 of clips that were here, to compare when one is fetched again
    incoming/            files in work
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench import storage
from fgbench.errors import ManifestError

_AGAIN = "move its folder away, and run fgbench prepare --data-root URL again"
_MARKER = "mirror.json"
_KIND = "fgbench-mirror"


class _File(BaseModel):
    """Content of ``mirror.json``."""

    model_config = ConfigDict(extra="forbid", strict=True)

    kind: Annotated[str, Field(pattern=f"^{_KIND}$")]
    url: Annotated[str, Field(max_length=4096)]
    kept_bytes: Annotated[int, Field(ge=0, lt=1 << 62)]


@dataclass(frozen=True, slots=True)
class Places:
    """Folder of a mirror.

    Attributes:
        folder: The folder.
        url: URL of the data set.
        kept_bytes: Most bytes of clips to keep beside those in work.
    """

    folder: Path
    url: str
    kept_bytes: int

    @property
    def root(self) -> Path:
        """Root of the data set."""
        return root_in(self.folder, self.url)

    @property
    def incoming(self) -> Path:
        """Folder of files in work."""
        return self.folder / "incoming"

    @property
    def listing(self) -> Path:
        """File of the paths that were listed last."""
        return self.folder / "listing.json"

    def record(self, kind: str, path: str) -> Path:
        """File that tells something of an object.

        Args:
            kind: ``"kept"`` or ``"seen"``.
            path: Path of the object below the root.
        """
        return self.folder / kind / hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def save(self) -> None:
        """Write ``mirror.json``, where it differs.

        Raises:
            ResourceError: If it cannot be written.
        """
        if (self.folder / _MARKER).exists() and read_places(self.folder) == self:
            return
        content = _File(kind=_KIND, url=self.url, kept_bytes=self.kept_bytes)
        storage.write_json(self.folder / _MARKER, content.model_dump())


def root_in(folder: Path, url: str) -> Path:
    """Root of the data set of a URL in the folder of its mirror: it has the last name of the URL."""
    return folder / "data" / url.rpartition("/")[2]


def folder_for(url: str, base: Path) -> Path:
    """Folder of the mirror of a URL, or of the copy of a work folder, among all of them.

    Args:
        url: As :func:`fgbench.remote.urls.url_of` gives it.
        base: Folder of all.
    """
    name = re.sub("[^A-Za-z0-9._-]+", "-", url.rpartition("/")[2])[:60].strip("-.") or "data"
    return base / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:10]}"


def places_of(root: Path) -> Places | None:
    """Return the mirror whose data set has a root; ``None`` where a folder is no mirror's.

    Raises:
        ManifestError: If its ``mirror.json`` is damaged.
        ResourceError: If that may not be read.
    """
    if root.parent.name != "data" or not (root.parent.parent / _MARKER).is_file():
        return None
    places = read_places(root.parent.parent)
    return places if places.root == root else None


def read_places(folder: Path) -> Places:
    """Read the mirror in a folder.

    Raises:
        FileNotFoundError: If there is none.
        ManifestError: If its ``mirror.json`` is damaged.
        ResourceError: If that may not be read.
    """
    path = folder / _MARKER
    try:
        content = _File.model_validate(storage.read_json(path))
    except ValidationError as error:
        raise ManifestError(f"{path} tells no mirror of a data set", _AGAIN) from error
    except ManifestError as error:
        raise ManifestError(error.message, _AGAIN) from error
    return Places(folder, content.url, content.kept_bytes)
