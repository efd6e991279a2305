"""Stable hashes: of ids (buckets, seeds, orders) and of content (fingerprints, digests).

All are SHA-256, so that they are the same on every machine, Python version and run.
"""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path
from typing import Any

from fgbench.errors import MediaError
from fgbench.files.regular_files import open_regular

_CHUNK = 1 << 20


def hash_u64(*parts: str | int) -> int:
    """Return a number in [0, 2**64) from strings and integers; different parts give unrelated numbers."""
    text = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()[:8], "big")


def hash_unit(*parts: str | int) -> float:
    """Return a number in [0, 1) from strings and integers."""
    return (hash_u64(*parts) >> 11) / float(1 << 53)


def bucket_of(clip_id: str, n_buckets: int) -> int:
    """Index of the bucket that a clip belongs to."""
    return hash_u64("bucket", clip_id) % n_buckets


def digest_json(value: Any) -> str:
    """SHA-256 (hex) of a JSON-able value; key order does not matter."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, read in pieces.

    Raises:
        OSError: If the file cannot be read or is not a regular file (a folder, a pipe), which is not opened.
    """
    digest = hashlib.sha256()
    try:
        with open_regular(path) as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except MediaError as error:
        raise OSError(errno.EINVAL, error.message) from error
    return digest.hexdigest()
