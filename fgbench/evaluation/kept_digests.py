"""Digests of what runs and caches keep beside their tables, to tell a damaged file from a whole one.

A finished run tells the SHA-256 of its weights, and of what it predicted beside the classes, in its result
(``files``). A cache of maps or features tells that of its numbers in the record beside them (``sha256``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.hashing import digest_file

FILES = "files"
"""Key of a result: name of a file in the folder of the run to its SHA-256."""

RESULTS = ("result.json", "au_result.json")
"""Names of results."""

SHA256 = "sha256"
"""Key of a cache's record: SHA-256 of its numbers."""

NUMBERS = ".f16"
"""Suffix of a cache's numbers; its record has the same name with ``.json``."""

_KEPT = (
    "weights.safetensors",
    "branches.parquet",
    "regions.parquet",
    "streams.parquet",
    "attention.parquet",
)
_CACHES = ("features", "frames", "maps")
_PREDICTIONS = {"result.json": "predictions.parquet", "au_result.json": "au_predictions.parquet"}


def digests_of(folder: Path) -> dict[str, dict[str, str]]:
    """What a result tells of the files in the folder of its run: :data:`FILES` and their digests, or nothing.

    Raises:
        OSError: If a file cannot be read.
    """
    found = {name: digest_file(folder / name) for name in _KEPT if (folder / name).is_file()}
    return {FILES: found} if found else {}


def check_files(folder: Path, result: Mapping[str, Any], *, again: str) -> None:
    """Compare files of a run with what its result tells of them.

    Args:
        folder: Folder of the run.
        result: Its result; one that tells nothing of files is as good as any.
        again: What to do where one is damaged.

    Raises:
        ManifestError: If one is missing or another.
    """
    for name, digest in told_files(result).items():
        try:
            found = digest_file(folder / name)
        except OSError as error:
            raise ManifestError(f"{folder} has lost its {name}: {error.strerror}", again) from error
        if found != digest:
            raise ManifestError(f"{folder / name} is not the file that the result of the run tells of", again)


def told_files(result: Mapping[str, Any]) -> dict[str, str]:
    """Names and digests that a result tells of; names that lead out of the folder are left out."""
    told = result.get(FILES)
    if not isinstance(told, Mapping):
        return {}
    return {
        name: digest
        for name, digest in told.items()
        if isinstance(name, str) and isinstance(digest, str) and name in _KEPT
    }


def kept_files(workdir: Path) -> Iterator[tuple[Path, str]]:
    """Files of a work folder's caches and finished runs with the SHA-256 that they should have.

    Nothing is read but records and results; what is no JSON, or tells no digest, is left out: such a cache is
    made again when it is needed, and such a run is reported where its result is read.

    Args:
        workdir: Work folder.

    Yields:
        Path and digest, in the order of the paths; the file may be missing.
    """
    for cache in _CACHES:
        for record in sorted((workdir / "cache" / cache).glob("*/maps-*.json")):
            digest = _object(record).get(SHA256)
            if isinstance(digest, str):
                yield record.with_suffix(NUMBERS), digest
    for folder in sorted((workdir / "runs").glob("*/*/*")):
        for name in RESULTS:
            result = _object(folder / name)
            predictions = result.get("predictions_sha256")
            if isinstance(predictions, str):
                yield folder / _PREDICTIONS[name], predictions
            for file, digest in sorted(told_files(result).items()):
                yield folder / file, digest


def _object(path: Path) -> Mapping[str, Any]:
    try:
        found = storage.read_json(path)
    except (ManifestError, OSError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
