"""Opening of the user's network: as options name it, or as the weights of a run describe it.

A run keeps its head alone; the network stays where the user has it. Its place is noted in the work folder
(``cache/backbones/<SHA-256>.json``); elsewhere it is looked for beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fgbench.errors import ConfigError, FgbenchError, ManifestError
from fgbench.methods.backbone.frozen import Frozen, Runs
from fgbench.methods.backbone.hf_folder import open_hf
from fgbench.methods.backbone.onnx_file import open_onnx
from fgbench.methods.backbone.torch_file import open_torch
from fgbench.methods.backbone.torch_runs import TorchRuns
from fgbench.runs.weights import Trained
from fgbench.storage import read_json, write_json
from fgbench.workfolders.layout import CACHE

BACKBONES = "backbones"
"""Folder of the places, in that of what can be computed again."""

SCORES = "probabilities of its own classes"


@dataclass(frozen=True, slots=True, eq=False)
class _Scores:
    """Takes the probabilities of a network's own classes for its features."""

    runs: Runs

    def features(self, prepared_B3SS: Tensor) -> Tensor:
        return self.runs.scores(prepared_B3SS)

    def scores(self, prepared_B3SS: Tensor) -> Tensor:
        return self.runs.scores(prepared_B3SS)


def open_network(
    path: Path,
    *,
    format_: str,
    device: torch.device,
    output: str,
    pooling: Any,
    classes: Sequence[str] = (),
    n_classes: int = 0,
    arch: str = "",
    architecture: Mapping[str, Any] | None = None,
) -> Frozen:
    """Open a file or folder.

    Args:
        path: The file or folder.
        format_: ``"onnx"``, ``"hf"`` or ``"torch"``.
        device: Device.
        output: As of the recipe.
        pooling: As of the recipe.
        classes: Names of its classes as the user tells them.
        n_classes: Their number where their names are not known.
        arch: Name of the architecture of ``"torch"``.
        architecture: Settings of it.

    Raises:
        ConfigError: If its classes are others in number than their names.
        FgbenchError: As of :func:`open_onnx`, :func:`open_hf` and :func:`open_torch`.
    """
    if format_ == "onnx":
        return open_onnx(path, device, output=output, classes=classes, n_classes=n_classes)
    if format_ == "torch":
        frozen = open_torch(path, device, arch=arch, settings=architecture or {}, pooling=pooling)
    else:
        frozen = open_hf(path, device, pooling=pooling)
    return _named(frozen, classes) if classes else frozen


def _named(frozen: Frozen, classes: Sequence[str]) -> Frozen:
    """Return a network with names for its classes, if they are as many."""
    assert isinstance(frozen.runs, TorchRuns)
    n_classes = frozen.runs.n_classes
    if n_classes not in (None, len(classes)):
        raise ConfigError(
            f"{frozen.name} has {n_classes} classes, but {len(classes)} are named, expected as many",
            "name each in the order of its outputs: --classes FILE, one a line",
        )
    return replace(frozen, classes=tuple(classes))


def as_scores(frozen: Frozen) -> Frozen:
    """Return a network whose features are the probabilities of its own classes."""
    return replace(frozen, runs=_Scores(frozen.runs), reads=SCORES)


def bare_runs(frozen: Frozen) -> Runs:
    """Return what computes a network's outputs, whichever of them are its features."""
    return frozen.runs.runs if isinstance(frozen.runs, _Scores) else frozen.runs


def note_place(workdir: Path, frozen: Frozen) -> None:
    """Note in a work folder where a network lies.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    place = workdir / CACHE / BACKBONES / f"{frozen.digest}.json"
    write_json(place, {"path": str(frozen.path.absolute())})


def reopen(trained: Trained, about: Mapping[str, Any], device: torch.device) -> Frozen:
    """Open the network that the weights of a run were made with.

    Args:
        trained: The weights.
        about: Their description of the network: ``format``, ``file``, ``sha256``, ``output``, ``pooling``,
            ``reads``, ``n_classes``, ``arch``, ``architecture``.
        device: Device.

    Raises:
        FgbenchError: If it cannot be opened.
        ManifestError: If it is not where it was, or is another one.
    """
    name, digest = str(about["file"]), str(about["sha256"])
    beside = trained.path.parent / Path(name).name
    places = [beside, *_noted(trained.workdir, digest)]
    path = next((place for place in places if place.exists()), None)
    if path is None:
        raise ManifestError(
            f"{trained.name} is a classifier on the features of {name} (SHA-256 {digest[:12]}...), which is "
            f"not at {places[-1]}",
            f"put it there, or beside the weights: {beside}",
        )
    frozen = open_network(
        path,
        format_=str(about["format"]),
        device=device,
        output=str(about["output"]),
        pooling=about["pooling"],
        n_classes=int(about["n_classes"]),
        arch=str(about["arch"]),
        architecture=about["architecture"],
    )
    if frozen.digest != digest:
        raise ManifestError(
            f"{path} is another network than {trained.name} was made with: SHA-256 {frozen.digest[:12]}..., "
            f"expected {digest[:12]}...",
            "put the file of the run there, or run the baseline again",
        )
    return as_scores(frozen) if about["reads"] == SCORES else frozen


def _noted(workdir: Path | None, digest: str) -> list[Path]:
    if workdir is None or not digest.isalnum():
        return []
    try:
        path = read_json(workdir / CACHE / BACKBONES / f"{digest}.json")["path"]
    except (FgbenchError, OSError, KeyError, TypeError, RecursionError):
        return []
    return [Path(path)] if isinstance(path, str) and path and "\0" not in path else []
