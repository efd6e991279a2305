"""States of remote objects as their storage lists them: size, time, digest. Nothing is downloaded for them.

The time of an object stands for its version: it is that of the listing to the second, and its nanoseconds are
drawn from the tag of the version (ETag and the like), so that a file exchanged within a second differs.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from fgbench.naming import shown
from fgbench.remote.filesystems import Opened, persistently

_TIMES = ("LastModified", "last_modified", "mtime", "updated", "created")
_TAGS = ("ETag", "etag", "blob_id", "oid", "md5Hash", "content_md5")
_NS = 10**9
_MOST_NAME = 255 - 60
"""Bytes of a name that leave room for the suffix of a file in work."""


@dataclass(frozen=True, slots=True)
class State:
    """State of a remote object.

    Attributes:
        size: Bytes.
        mtime_ns: Time that stands for its version, ns since 1970.
        md5: MD5 of its content (hex), where the storage says that it is; else empty.
        likely_md5: MD5 (hex) that a tag looks like but need not be, as tags of encrypted objects; else empty.
    """

    size: int
    mtime_ns: int
    md5: str = ""
    likely_md5: str = ""


def state_of(info: Mapping[str, Any]) -> State:
    """State of an object by what fsspec's ``info`` or ``find`` say of it."""
    tag = next((str(info[key]).removeprefix("W/").strip('"') for key in _TAGS if info.get(key)), "")
    digest = int.from_bytes(hashlib.sha256(tag.encode("utf-8", "replace")).digest()[:8], "big")
    seconds = next((_seconds(info[key]) for key in _TIMES if info.get(key) is not None), None)
    if seconds is None:
        seconds = 10**9 + digest // _NS % (10**8)
    likely = tag.lower() if re.fullmatch("[0-9a-fA-F]{32}", tag) else ""
    return State(
        size=int(info.get("size") or 0),
        mtime_ns=seconds * _NS + (digest % _NS if tag else 0),
        md5=_md5(info.get("md5Hash") or info.get("content_md5")),
        likely_md5=likely,
    )


def listed(folder: Opened, url: str) -> tuple[dict[str, State], list[str]]:
    """List a folder of a storage with all below it.

    Args:
        folder: The folder.
        url: The URL, for messages.

    Returns:
        Path below the folder to state, in order; and the names of objects that no file can bear, in order.

    Raises:
        FileNotFoundError: If there is no such folder.
        ResourceError: If the storage does not answer.
    """
    base = folder.base
    found = persistently(f"{shown(url)} cannot be listed", folder.find)
    states, odd = {}, []
    for name, info in sorted(found.items()):
        path = name[len(base) + 1 :] if name.startswith(f"{base}/") else name if not base else ""
        if info.get("type") == "directory" or name.endswith("/") or not path:
            continue
        if is_file_name(path):
            states[path] = state_of(info)
        else:
            odd.append(name)
    folders = {path[: match.start()] for path in states for match in re.finditer("/", path)}
    for path in sorted(folders & states.keys()):  # an object and a folder of one name
        odd.append(path)
        del states[path]
    return states, odd


def is_file_name(path: str) -> bool:
    """Whether a path of an object can be that of a file below a folder."""
    parts = path.split("/")
    try:
        sizes = [len(part.encode("utf-8")) for part in parts]
    except UnicodeEncodeError:
        return False
    return (
        "\0" not in path and all(part not in ("", ".", "..") for part in parts) and max(sizes) <= _MOST_NAME
    )


def _seconds(value: Any) -> int:
    """Seconds since 1970 of a time as one of the file systems gives it."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if isinstance(value, datetime):
        value = (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
    return int(value)


def _md5(value: Any) -> str:
    """MD5 in hex of bytes, or of base64."""
    try:
        raw = bytes(value) if isinstance(value, bytes | bytearray) else base64.b64decode(str(value or ""))
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == 16 else ""
