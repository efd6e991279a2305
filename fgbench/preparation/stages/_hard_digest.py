"""Digests of tables of images without their soft labels, by which runs that do not read these stay valid."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.files.hashing import digest_json
from fgbench.preparation.stages._tables import SOFT
from fgbench.workfolders.manifest_index import HARD


def hard_digest(path: Path, sha256: str, earlier: Mapping[str, Any] | None) -> dict[str, str]:
    """The digest of a table of images without soft labels, by its key in the index; nothing if it has none.

    Args:
        path: The table.
        sha256: Digest of the file.
        earlier: What the index of the earlier manifests says of the file, if it was there.

    Raises:
        ManifestError: If the table is damaged.
    """
    with storage.open_table(path, [SOFT]) as file:
        if file.read([SOFT])[SOFT].null_count == file.metadata.num_rows:
            return {}
    if earlier is not None and earlier["sha256"] == sha256 and HARD in earlier:
        return {HARD: str(earlier[HARD])}
    digest = hashlib.sha256()
    for row in storage.read_rows(path):
        image = row.pop("image")
        del row[SOFT]
        digest.update(digest_json([row, image["path"]]).encode("ascii"))
        digest.update(hashlib.sha256(image["bytes"]).digest())
    return {HARD: digest.hexdigest()}
