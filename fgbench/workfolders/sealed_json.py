"""JSON files that contain the digest of their own content, so that damage is noticed.

A sealed file is one JSON object; its key ``digest`` is the SHA-256 of the object without that key, in the
form of `fgbench.files.hashing.digest_json`.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError, ResourceError
from fgbench.files.hashing import digest_json

SEAL = "digest"
"""Key of the digest."""

_AGAIN = "fgbench check --repair, on its work folder, makes it anew"


def write_sealed(path: Path, value: Mapping[str, Any]) -> None:
    """Write a sealed file atomically; an empty folder in its place is removed.

    Args:
        path: The file.
        value: Content, without a key ``digest``.

    Raises:
        ResourceError: If it cannot be written.
    """
    if path.is_dir() and not path.is_symlink():
        discard(path)
    storage.write_json(path, {**value, SEAL: digest_json(value)})


def read_sealed(path: Path) -> dict[str, Any]:
    """Read the content of a sealed file, without its digest.

    Raises:
        ManifestError: If it is no JSON object, or its digest is missing or does not match.
        ResourceError: If it may not be read.
        FileNotFoundError: If it is not there.
    """
    value = as_object(path, storage.read_json(path))
    if SEAL not in value:
        raise ManifestError(f"{path} does not bear the digest of its content", _AGAIN)
    return opened(path, value)


def opened(path: Path, value: Mapping[str, Any], *, again: str = _AGAIN) -> dict[str, Any]:
    """Check the content of a sealed file and return it without its digest.

    Args:
        path: The file, for messages.
        value: All of its content.
        again: Advice where it is damaged.

    Raises:
        ManifestError: If its digest does not match.
    """
    content = {key: item for key, item in value.items() if key != SEAL}
    try:
        is_right = digest_json(content) == value[SEAL]
    except (ValueError, RecursionError):
        is_right = False
    if not is_right:
        raise ManifestError(f"{path} is damaged: its content is not that of its digest", again)
    return content


def as_object(path: Path, value: Any) -> dict[str, Any]:
    """Check that a value is a JSON object.

    Raises:
        ManifestError: If it is something else.
    """
    if not isinstance(value, dict):
        kind = {list: "a list", str: "a text", type(None): "null"}.get(type(value), "a number")
        raise ManifestError(f"{path} holds {kind}, expected a JSON object", _AGAIN)
    return value


def discard(path: Path) -> None:
    """Remove a damaged file of fgbench, or the empty folder in its place.

    Raises:
        ResourceError: If a folder with files is in its place, or it cannot be removed.
    """
    with storage.explained(path):
        try:
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            raise ResourceError(
                f"{path} is a folder with files, expected a file of fgbench's", "move it away"
            ) from error
