"""The checkpoint of a training: one file, written atomically, and read without running its code."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fgbench.errors import ConfigError, ManifestError
from fgbench.models.weight_limits import check_archive
from fgbench.storage import written
from fgbench.training.history import Standing

_REMEDY = "delete it, or start anew with --force"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """State of a training, from which it continues as if it had not stopped.

    Attributes:
        fingerprint: Digest of all that the result depends on (recipe, data, seed), compared on resuming.
        standing: Epoch, step, best score, history.
        model: State of the network.
        optimisers: State of the optimiser of each turn (``"0"``, ``"1"``).
        best: State of the network in the best epoch, on the CPU; empty before the first epoch ends.
    """

    fingerprint: str
    standing: Standing
    model: dict[str, Tensor]
    optimisers: dict[str, Any]
    best: dict[str, Tensor]


_KEYS = {field.name for field in fields(Checkpoint)}


def save_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint, atomically.

    Raises:
        ResourceError: If the disk is full or the folder cannot be written.
    """
    content = {name: getattr(checkpoint, name) for name in _KEYS} | {"standing": checkpoint.standing.plain()}
    with written(path) as temporary:
        try:
            with temporary.open("wb") as file:
                torch.save(content, file)
        except RuntimeError as error:
            # After a failed write torch raises a second error over its unfinished archive.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise


def load_checkpoint(path: Path, *, fingerprint: str) -> Checkpoint:
    """Read a checkpoint, its tensors on the CPU.

    Raises:
        ManifestError: If the file is damaged, or not a checkpoint of fgbench; its code is not executed.
        ConfigError: If it is of another recipe, other data or another seed.
        FileNotFoundError: If it does not exist.
    """
    content = _read(path)
    if content["fingerprint"] != fingerprint:
        raise ConfigError(
            f"{path} is the checkpoint of a training with another recipe, other data or another fgbench",
            f"to go on with it, use what it was started with; else {_REMEDY}",
        )
    try:
        standing = Standing.of_plain(content["standing"])
    except (TypeError, KeyError) as error:
        raise ManifestError(f"{path} is not a checkpoint of fgbench: {error}", _REMEDY) from error
    return Checkpoint(**content | {"standing": standing})


def _read(path: Path) -> dict[str, Any]:
    try:
        check_archive(path)
        with zipfile.ZipFile(path) as archive:
            # torch does not check its checksums; a flipped bit would change a weight.
            damaged = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise ManifestError(f"{path} is damaged: {error}", _REMEDY) from error
    if damaged is not None:
        raise ManifestError(f"{path} is damaged: checksum of {damaged}", _REMEDY)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds, its own parsers' IndexError and KeyError among them
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ManifestError(f"{path} is damaged, or not a checkpoint of fgbench: {first}", _REMEDY) from error
    if not isinstance(content, dict) or set(content) != _KEYS:
        raise ManifestError(f"{path} is not a checkpoint of fgbench", _REMEDY)
    return content
