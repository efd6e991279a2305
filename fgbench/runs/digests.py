"""Digests of what runs and caches keep beside their tables, to tell a damaged file from a whole one.

A finished run tells the SHA-256 of its settings, its weights, its model card, and of what it predicted beside
the classes, in its result (``files``), which bears the digest of its own content
(`fgbench.workfolders.sealed_json`). Its ``history.json`` bears one too: it holds times, which differ between
trainings that are the same otherwise, so that the result tells the digest of its other values alone. Results
of earlier versions tell of fewer files, or none, and bear no digest; they are taken as they are. The logs for
TensorBoard (``log/``) are no part of a result, and nothing tells of them.

A cache of maps or features tells the SHA-256 of its numbers in the record beside them (``sha256``).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ManifestError
from fgbench.files.hashing import digest_file, digest_json
from fgbench.workfolders.sealed_json import SEAL, opened, read_sealed, write_sealed

FILES = "files"
"""Key of a result: name of a file in the folder of the run to its SHA-256."""

SHA256 = "sha256"
"""Key of a cache's record: SHA-256 of its numbers."""

NUMBERS = ".f16"
"""Suffix of a cache's numbers; its record has the same name with ``.json``."""

CONFIG = "config.yaml"
"""Name of the settings in the folder of a run."""

CARD = "README.md"
"""Name of the model card in the folder of a run."""

CODEBOOKS = "codebook-*.npz"
"""What baselines keep in the folder of a run between their steps."""

Card = Callable[[Mapping[str, Any]], str]
"""Text of a model card from the content of a result."""

_HISTORY = "history.json"
_TIMES = frozenset({"seconds", "images_per_s"})
_TEXTS = (CONFIG, "confusion.csv", _HISTORY, CARD)
_KEPT = (
    *_TEXTS,
    CODEBOOKS,
    "weights.safetensors",
    "branches.parquet",
    "regions.parquet",
    "streams.parquet",
    "attention.parquet",
    "trained_on.parquet",
)
_CACHES = ("features", "frames", "maps")
PREDICTIONS_OF = {"result.json": "predictions.parquet", "au_result.json": "au_predictions.parquet"}
"""Name of a result to that of the predictions that are written before it."""


def write_result(path: Path, result: Mapping[str, Any], *, card: Card | None = None) -> None:
    """End a run: write its model card, if it has one, and then its result with the digests of its files.

    Args:
        path: The result, in the folder of the run.
        result: What it tells, but for the digests.
        card: Makes the model card.

    Raises:
        OSError: If a file of the run cannot be read.
        ResourceError: If the folder cannot be written.
    """
    folder = path.parent
    if card is not None:
        storage.write_text(folder / CARD, card(result))
    told = {**result, **digests_of(folder, but_for={CARD} if card is None else ())}
    write_sealed(path, json.loads(json.dumps(told, allow_nan=False)))  # keys as they are read again


def opened_result(path: Path, found: Mapping[str, Any], *, again: str) -> dict[str, Any]:
    """What was read of a result, without its digest; one of an earlier version, which bears none, as it is.

    Args:
        path: The file, for messages.
        found: All of its content.
        again: What to do where it is damaged.

    Raises:
        ManifestError: If its digest is another, or missing though this version wrote the result.
    """
    if SEAL in found:
        return opened(path, found, again=again)
    if CONFIG in told_files(found):
        raise ManifestError(f"{path} is damaged: it does not bear the digest of its content", again)
    return dict(found)


def digests_of(folder: Path, *, but_for: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """What a result tells of the files in the folder of its run: :data:`FILES` and their digests, or nothing.

    Args:
        folder: Folder of the run.
        but_for: Files that are left out, e.g. a card that the run did not write.

    Raises:
        OSError: If a file cannot be read.
    """
    found = {}
    for path in sorted({path for name in _KEPT for path in folder.glob(name) if path.is_file()}):
        if path.name in but_for:
            continue
        try:
            found[path.name] = _digest(path)
        except ManifestError:  # a history of an earlier version, which bears no digest
            continue
    return {FILES: found} if found else {}


def check_files(folder: Path, result: Mapping[str, Any], *, again: str) -> None:
    """Compare files of a run with what its result tells of them.

    Args:
        folder: Folder of the run.
        result: Its result; one that tells nothing of files is as good as any.
        again: What to do where one is damaged.

    Raises:
        ManifestError: If one is missing or another.
        ResourceError: If one may not be read.
    """
    _check(folder, told_files(result), again)


def check_texts(folder: Path, result: Mapping[str, Any], *, again: str) -> None:
    """As :func:`check_files`, of the small files for people alone: settings, curves, confusions, card.

    Raises:
        ManifestError: If one is missing or another.
        ResourceError: If one may not be read.
    """
    _check(folder, {name: told for name, told in told_files(result).items() if name in _TEXTS}, again)


def _check(folder: Path, told: Mapping[str, str], again: str) -> None:
    for name, digest in told.items():
        try:
            is_whole = is_as_told(folder / name, digest)
        except OSError as error:
            raise ManifestError(f"{folder} has lost its {name}: {error.strerror}", again) from error
        if not is_whole:
            raise ManifestError(f"{folder / name} is not the file that the result of the run tells of", again)


def told_files(result: Mapping[str, Any]) -> dict[str, str]:
    """Names and digests that a result tells of; names that lead out of the folder are left out."""
    told = result.get(FILES)
    if not isinstance(told, Mapping):
        return {}
    return {
        name: digest
        for name, digest in told.items()
        if isinstance(name, str) and isinstance(digest, str) and _is_kept(name)
    }


def is_as_told(path: Path, digest: str) -> bool:
    """Whether a file of a run or cache is the one whose digest is told.

    Raises:
        OSError: If it cannot be read.
        ResourceError: If it may not be read.
    """
    try:
        return _digest(path) == digest
    except ManifestError:
        return False


def _is_kept(name: str) -> bool:
    return "/" not in name and any(fnmatchcase(name, kept) for kept in _KEPT)


def _digest(path: Path) -> str:
    """SHA-256 of a file; of curves, that of their values but for times, once their own digest is right."""
    return digest_json(_without_times(read_sealed(path))) if path.name == _HISTORY else digest_file(path)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in _TIMES}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


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
        for name, predictions in PREDICTIONS_OF.items():
            result = _object(folder / name)
            told = result.get("predictions_sha256")
            if isinstance(told, str):
                yield folder / predictions, told
            for file, digest in sorted(told_files(result).items()):
                yield folder / file, digest


def _object(path: Path) -> Mapping[str, Any]:
    try:
        found = storage.read_json(path)
    except (ManifestError, OSError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
