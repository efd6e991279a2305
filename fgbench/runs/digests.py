"""Digests of the files of runs and caches, to tell damaged files from whole ones.

The result of a finished run lists the SHA-256 of its settings, its weights, its model card, and of its
predictions beside classes (``files``), and contains the digest of its own content
(`fgbench.workfolders.sealed_json`). So does its ``history.json``; as that holds times, which differ between
otherwise equal trainings, the result lists the digest of its other values alone. Results of earlier versions
list fewer files, or none, and contain no digest; they are accepted. The logs for TensorBoard (``log/``) are
not part of a result and not listed.

The record beside a cache of maps or features holds the SHA-256 of its numbers (``sha256``).
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
from fgbench.workfolders.layout import CACHE, RUNS, WEIGHTS
from fgbench.workfolders.sealed_json import SEAL, opened, read_sealed, write_sealed

FILES = "files"
"""Key of a result: name of a file in the folder of the run to its SHA-256."""

SHA256 = "sha256"
"""Key of a cache's record: SHA-256 of its numbers."""

NUMBERS = {"float16": ".f16", "float32": ".f32"}
"""Type of a cache's numbers to the suffix of their file; its record has the same name with ``.json``."""

CONFIG = "config.yaml"
"""Name of the settings in the folder of a run."""

CARD = "README.md"
"""Name of the model card in the folder of a run."""

CODEBOOKS = "codebook-*.npz"
"""Files that baselines keep in the folder of a run between their steps."""

Card = Callable[[Mapping[str, Any]], str]
"""Text of a model card from the content of a result."""

_HISTORY = "history.json"
_TIMES = frozenset({"seconds", "images_per_s"})
_TEXTS = (CONFIG, "confusion.csv", _HISTORY, CARD)
_KEPT = (
    *_TEXTS,
    CODEBOOKS,
    WEIGHTS,
    "branches.parquet",
    "regions.parquet",
    "streams.parquet",
    "attention.parquet",
    "trained_on.parquet",
    "trained_units.parquet",
)
_CACHES = ("features", "frames", "maps")
PREDICTIONS_OF = {"result.json": "predictions.parquet", "au_result.json": "au_predictions.parquet"}
"""Name of a result to that of its predictions, which are written before it."""


def write_result(path: Path, result: Mapping[str, Any], *, card: Card | None = None) -> None:
    """Finish a run: write its model card, if any, and then its result with the digests of its files.

    Args:
        path: The result, in the folder of the run.
        result: Content, without the digests.
        card: Makes the model card.

    Raises:
        OSError: If a file of the run cannot be read.
        ResourceError: If the folder cannot be written.
    """
    folder = path.parent
    if card is not None:
        storage.write_text(folder / CARD, card(result))
    sealed = {**result, **digests_of(folder, but_for={CARD} if card is None else ())}
    write_sealed(path, json.loads(json.dumps(sealed, allow_nan=False)))  # keys as they are read again


def opened_result(path: Path, content: Mapping[str, Any], *, again: str) -> dict[str, Any]:
    """Content of a result without its digest; results of earlier versions, which have none, are accepted.

    Args:
        path: The file, for messages.
        content: All of its content.
        again: Advice where it is damaged.

    Raises:
        ManifestError: If its digest does not match, or is missing though this version wrote the result.
    """
    if SEAL in content:
        return opened(path, content, again=again)
    if CONFIG in listed_files(content):
        raise ManifestError(f"{path} is damaged: it does not bear the digest of its content", again)
    return dict(content)


def digests_of(folder: Path, *, but_for: Collection[str] = ()) -> dict[str, dict[str, str]]:
    """Digests of the files in the folder of a run, under :data:`FILES`; empty if there are none.

    Args:
        folder: Folder of the run.
        but_for: Files to leave out, e.g. a card that the run did not write.

    Raises:
        OSError: If a file cannot be read.
    """
    digests = {}
    for path in sorted({path for name in _KEPT for path in folder.glob(name) if path.is_file()}):
        if path.name in but_for:
            continue
        try:
            digests[path.name] = _digest(path)
        except ManifestError:  # a history of an earlier version, without digest
            continue
    return {FILES: digests} if digests else {}


def check_files(folder: Path, result: Mapping[str, Any], *, again: str) -> None:
    """Compare files of a run with the digests in its result.

    Args:
        folder: Folder of the run.
        result: Its result; one without digests passes.
        again: Advice where a file is damaged.

    Raises:
        ManifestError: If a file is missing or differs.
        ResourceError: If one may not be read.
    """
    _check(folder, listed_files(result), again)


def check_texts(folder: Path, result: Mapping[str, Any], *, again: str) -> None:
    """Compare the small files for people alone: settings, curves, confusions, card.

    Raises:
        ManifestError: If a file is missing or differs.
        ResourceError: If one may not be read.
    """
    _check(folder, {name: digest for name, digest in listed_files(result).items() if name in _TEXTS}, again)


def _check(folder: Path, digests: Mapping[str, str], again: str) -> None:
    for name, digest in digests.items():
        try:
            is_whole = matches_digest(folder / name, digest)
        except OSError as error:
            raise ManifestError(f"{folder} has lost its {name}: {error.strerror}", again) from error
        if not is_whole:
            raise ManifestError(f"{folder / name} is not the file that the result of the run tells of", again)


def listed_files(result: Mapping[str, Any]) -> dict[str, str]:
    """Names and digests of files in a result; names outside the folder are left out."""
    files = result.get(FILES)
    if not isinstance(files, Mapping):
        return {}
    return {
        name: digest
        for name, digest in files.items()
        if isinstance(name, str) and isinstance(digest, str) and _is_kept(name)
    }


def matches_digest(path: Path, digest: str) -> bool:
    """Whether a file of a run or cache has the given digest.

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
    """SHA-256 of a file; of a history, that of its values without times, after a check of its own digest."""
    return digest_json(_without_times(read_sealed(path))) if path.name == _HISTORY else digest_file(path)


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in _TIMES}
    return [_without_times(item) for item in value] if isinstance(value, list) else value


def kept_files(workdir: Path) -> Iterator[tuple[Path, str]]:
    """Files of a work folder's caches and finished runs with their expected SHA-256.

    Reads records and results alone; those that are no JSON or lack digests are left out: such a cache is made
    again when it is needed, and such a run is reported where its result is read.

    Args:
        workdir: Work folder.

    Yields:
        Path and digest, in the order of the paths; the file may be missing.
    """
    for cache in _CACHES:
        for record in sorted((workdir / CACHE / cache).glob("*/maps-*.json")):
            content = _object(record)
            digest, suffix = content.get(SHA256), NUMBERS.get(str(content.get("dtype", "float16")))
            if isinstance(digest, str) and suffix is not None:
                yield record.with_suffix(suffix), digest
    for folder in sorted((workdir / RUNS).glob("*/*/*")):
        for name, predictions in PREDICTIONS_OF.items():
            result = _object(folder / name)
            predictions_digest = result.get("predictions_sha256")
            if isinstance(predictions_digest, str):
                yield folder / predictions, predictions_digest
            for file, digest in sorted(listed_files(result).items()):
                yield folder / file, digest


def _object(path: Path) -> Mapping[str, Any]:
    try:
        content = storage.read_json(path)
    except (ManifestError, OSError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
