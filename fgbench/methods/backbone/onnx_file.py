"""Frozen networks in ONNX files, computed by ONNX Runtime."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fgbench.errors import ConfigError, ManifestError, package_missing
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.onnx_layers import (
    Outputs,
    PictureInput,
    add_output,
    chosen_outputs,
    picture_input,
)
from fgbench.methods.backbone.onnx_safety import read_model

_CLASSES = ("classes", "class_names", "names", "labels", "id2label")
_NUMBERS = ("scale", "mean", "std")
_COLOURS = ("colours", "colors", "color_order", "input_format", "channel_order")
_MOST_TEXT = 1 << 20
_SUM = 1e-3
"""Most that probabilities may differ from a sum of 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OnnxRuns:
    """Computes outputs of a graph; see :class:`fgbench.methods.backbone.frozen.Runs`.

    Attributes:
        session: Session of ONNX Runtime.
        model: The ``ModelProto``, with the features among its outputs.
        taken: Its input.
        outputs: Its outputs.
        name: Name of the network, for messages.
    """

    session: Any
    model: Any
    taken: PictureInput
    outputs: Outputs
    name: str

    def features(self, prepared_B3SS: Tensor) -> Tensor:
        """Return features (B, d) float32: maps are averaged over the picture, tokens over their number.

        Raises:
            ManifestError: If the network cannot be computed.
        """
        return pooled_output(self.computed(self.outputs.features, prepared_B3SS).float())

    def scores(self, prepared_B3SS: Tensor) -> Tensor:
        """Return probabilities (B, K): the graph's, or of what it gives as logits.

        Raises:
            ConfigError: If it has no classes.
            ManifestError: If the network cannot be computed.
        """
        if self.outputs.classes is None:
            raise ConfigError(
                f"{self.name} has no output of classes, expected a classifier",
                "leave --zero-shot out; or name its classes: --classes FILE, one a line",
            )
        values = self.computed(self.outputs.classes, prepared_B3SS).float().flatten(1)
        are_probabilities = bool((values >= 0).all()) and bool(((values.sum(1) - 1).abs() < _SUM).all())
        return values if are_probabilities else values.softmax(1)

    def computed(self, output: str, prepared_B3SS: Tensor) -> Tensor:
        """Return a tensor of the graph, with B rows.

        Raises:
            ManifestError: If the network cannot be computed.
        """
        rows = prepared_B3SS.cpu()
        if self.taken.layout == "last":
            rows = rows.permute(0, 2, 3, 1).contiguous()
        if self.taken.numbers == "uint8":
            rows = rows.round().clamp(0, 255).byte()
        elif self.taken.numbers == "float16":
            rows = rows.half()
        array, fixed = rows.numpy(), self.taken.rows
        parts = [array] if fixed is None else [array[at : at + fixed] for at in range(0, len(array), fixed)]
        results = [self._run(output, part, fixed)[: len(part)] for part in parts]
        return torch.from_numpy(np.concatenate(results))

    def _run(self, output: str, part: np.ndarray, fixed: int | None) -> np.ndarray:
        if fixed is not None and len(part) < fixed:
            part = np.concatenate([part, np.zeros((fixed - len(part), *part.shape[1:]), part.dtype)])
        try:
            (values,) = self.session.run([output], {self.taken.name: part})
        except Exception as error:
            raise ManifestError(
                f"{self.name} cannot be computed on pictures {part.shape}: {_first_line(error)}",
                "state the size that it takes (input.size_px in the recipe), or export it again",
            ) from error
        return np.asarray(values)


def pooled_output(values: Tensor) -> Tensor:
    """Return features (B, d) of an output: maps are averaged over the picture, tokens over their number."""
    if values.ndim == 4:
        return values.mean(dim=(2, 3))
    return values.mean(dim=1) if values.ndim == 3 else values.flatten(1)


def open_onnx(
    path: Path, device: torch.device, *, output: str, classes: Sequence[str] = (), n_classes: int = 0
) -> Frozen:
    """Open an ONNX file.

    Args:
        path: The file.
        device: Device; on CUDA where ONNX Runtime has it.
        output: Tensor of the features, or ``"auto"``.
        classes: Names of its classes as the user tells them, else those of its metadata are taken.
        n_classes: Number of classes where they are known otherwise.

    Raises:
        ConfigError: If it takes no colour pictures, or has no such tensor.
        DependencyError: If a package is not installed.
        ManifestError: If it is missing, damaged, refused, or ONNX Runtime cannot open it.
    """
    model, digest = read_model(path)
    name = path.stem
    metadata = {one.key: one.value for one in model.metadata_props if len(one.value) <= _MOST_TEXT}
    names = tuple(classes) or classes_of(metadata)
    taken = picture_input(model, name)
    outputs = chosen_outputs(model, output, n_classes=n_classes or len(names), name=name)
    add_output(model, outputs.features)
    runs = OnnxRuns(
        session=_session(model, path, device), model=model, taken=taken, outputs=outputs, name=name
    )
    stated: dict[str, Any] = {**stated_of(metadata), "fixed_px": taken.size_px}
    if taken.numbers == "uint8":
        stated = {"scale": 1.0, "mean": (0.0,), "std": (1.0,), **stated}
    return Frozen(
        path=path,
        format="onnx",
        name=name,
        digest=digest,
        runs=runs,
        stated=stated,
        classes=names,
        reads=f"tensor {outputs.features}",
    )


def stated_of(metadata: Mapping[str, str]) -> dict[str, Any]:
    """Return what the metadata of an ONNX file state of its input, by keys of the recipe's section ``input``.

    Keys: ``mean``, ``std``, ``scale`` (a number or a list), and ``colours``, ``color_order`` or
    ``input_format`` (``RGB`` or ``BGR``); others are ignored.
    """
    stated: dict[str, Any] = {}
    for key in _NUMBERS:
        numbers = _literal(metadata.get(key, ""))
        listed = numbers if isinstance(numbers, list | tuple) else [numbers]
        if len(listed) in (1, 3) and all(
            isinstance(one, int | float) and not isinstance(one, bool) and np.isfinite(one) for one in listed
        ):
            stated[key] = float(listed[0]) if key == "scale" else tuple(map(float, listed))
    for key in _COLOURS:
        if (colours := metadata.get(key, "").strip().lower()) in ("rgb", "bgr"):
            stated["colours"] = colours
    return stated


def classes_of(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of classes in the metadata of an ONNX file; empty where there are none.

    A list, a mapping of numbers to names, or names with commas between.
    """
    for key in _CLASSES:
        text = metadata.get(key, "").strip()
        names = _literal(text)
        if isinstance(names, Mapping):
            try:
                ordered = sorted(names.items(), key=lambda item: int(item[0]))
            except (TypeError, ValueError):
                continue
            names = [name for _, name in ordered]
        if names is None and "," in text:
            names = [part.strip() for part in text.split(",")]
        if isinstance(names, list | tuple) and names and all(isinstance(one, str) and one for one in names):
            return tuple(names)
    return ()


def _literal(text: str) -> Any:
    """Return a value written as JSON or as Python writes it; ``None`` for any other text."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _session(model: Any, path: Path, device: torch.device) -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise package_missing("ONNX files need", error.name, extra="backbone") from error
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    there = onnxruntime.get_available_providers()
    wanted = ["CUDAExecutionProvider"] if device.type == "cuda" else []
    providers = [*(one for one in wanted if one in there), "CPUExecutionProvider"]
    try:
        return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=providers)
    except Exception as error:
        raise ManifestError(
            f"ONNX Runtime cannot open {path}: {_first_line(error)}",
            "export it again, with operators of ONNX alone, or install another version of onnxruntime",
        ) from error


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
