"""Parts of an ONNX graph that matter here: its input of pictures, its outputs, its last layer of classes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fgbench.errors import ConfigError, ManifestError
from fgbench.naming import counted, first_few

AUTO = "auto"
_PASSED = ("Softmax", "LogSoftmax", "Sigmoid", "Identity", "Cast", "Flatten", "Squeeze", "Add")
_LAYERS = ("Gemm", "MatMul")
_FEWEST_FEATURES = 64
"""Outputs of a last layer of fewer numbers are taken for classes; published features have 128 and more."""

_TYPES = {1: "float32", 2: "uint8", 10: "float16"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureInput:
    """The input of pictures of a graph.

    Attributes:
        name: Its name.
        layout: Whether channels come before (``"first"``) or after (``"last"``) the rows.
        size_px: Its fixed side; ``None`` where it is free.
        rows: Fixed number of pictures; ``None`` where it is free.
        numbers: ``"float32"``, ``"float16"`` or ``"uint8"``.
    """

    name: str
    layout: Literal["first", "last"]
    size_px: int | None
    rows: int | None
    numbers: str


def picture_input(model: Any, name: str) -> PictureInput:
    """Return the input of pictures of a graph.

    Args:
        model: ``ModelProto``.
        name: Name of the network, for messages.

    Raises:
        ConfigError: If it takes something else: texts, several inputs, grey or oblong pictures.
    """
    stored = {one.name for one in model.graph.initializer}
    inputs = [one for one in model.graph.input if one.name not in stored]
    shapes = {one.name: _shape(one) for one in inputs}
    described = first_few([f"{key} {list(shape)}" for key, shape in shapes.items()])
    if not any(len(shape) == 4 for shape in shapes.values()):
        raise ConfigError(
            f"{name} takes no pictures (its inputs: {described}), expected one of (N, 3, height, width)",
            "a network of texts or sounds alone cannot be used; name one of pictures",
        )
    if len(inputs) != 1:
        raise ConfigError(
            f"{name} has {len(inputs)} inputs ({described}), expected pictures alone",
            "export the part that takes pictures",
        )
    shape = next(iter(shapes.values()))
    last = shape[3] in (1, 3) and shape[1] not in (1, 3)
    channels = shape[3] if last else shape[1]
    if channels not in (3, None):
        raise ConfigError(
            f"{name} takes pictures of {counted(channels, 'channel')} ({described}), expected 3",
            "networks of grey pictures cannot be used; name one of colour pictures",
        )
    height, width = (shape[1], shape[2]) if last else (shape[2], shape[3])
    if height is not None and width is not None and height != width:
        raise ConfigError(
            f"{name} takes pictures of {width} x {height} px, expected squares", "name a network of squares"
        )
    kind = inputs[0].type.tensor_type.elem_type
    if kind not in _TYPES:
        raise ConfigError(
            f"{name} takes numbers of ONNX type {kind}, expected float32, float16 or uint8", "export it again"
        )
    return PictureInput(
        name=inputs[0].name,
        layout="last" if last else "first",
        size_px=height or width,
        rows=shape[0],
        numbers=_TYPES[kind],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Tensors of a graph to read.

    Attributes:
        features: Name of the features.
        classes: Name of the output of classes; ``None`` where there is none.
    """

    features: str
    classes: str | None


def chosen_outputs(model: Any, wanted: str, *, n_classes: int, name: str) -> Outputs:
    """Return the tensors that features and classes are read from.

    Args:
        model: ``ModelProto``.
        wanted: Name of a tensor; ``"auto"``: the output, or what the last layer of classes takes.
        n_classes: Number of named classes; 0: unknown.
        name: Name of the network, for messages.

    Raises:
        ConfigError: If there is no such tensor, or several outputs and none is named.
    """
    producers = {output: node for node in model.graph.node for output in node.output if output}
    outputs = [one.name for one in model.graph.output]
    heads = {one: layer for one in outputs if (layer := _last_layer(one, producers)) is not None}
    sized = {one: _width(layer, model) for one, layer in heads.items()}
    classifiers = [
        one
        for one in outputs
        if (width := sized.get(one)) is not None
        and (width == n_classes if n_classes else width < _FEWEST_FEATURES)
    ]
    classes = classifiers[0] if classifiers else None
    if wanted != AUTO:
        if wanted not in producers:
            raise ConfigError(
                f"{name} has no tensor {wanted!r}, expected one of it, e.g. {first_few(outputs)}",
                "name another (output in the recipe), or leave it out",
            )
        return Outputs(features=wanted, classes=classes)
    if classes is not None:
        return Outputs(features=_taken(heads[classes], model), classes=classes)
    if len(outputs) != 1:
        raise ConfigError(
            f"{name} has {len(outputs)} outputs, expected the name of that with the features",
            f"e.g. --set output={outputs[0]}; there are {first_few(outputs)}",
        )
    return Outputs(features=outputs[0], classes=None)


def add_output(model: Any, name: str) -> None:
    """Make a tensor of a graph an output of it."""
    if name not in {one.name for one in model.graph.output}:
        model.graph.output.add().name = name


def _last_layer(output: str, producers: Mapping[str, Any]) -> Any | None:
    """Return the matrix product that an output comes from; ``None`` where others come after it."""
    name = output
    for _ in range(16):
        node = producers.get(name)
        if node is None or node.op_type in _LAYERS:
            return node
        if node.op_type not in _PASSED:
            return None
        made = [one for one in node.input if one in producers]
        if not made:
            return None
        name = made[0]
    return None


def _weights(layer: Any, model: Any) -> tuple[Any, int] | None:
    """Return the stored matrix of a layer, and its position among the layer's inputs."""
    stored = {one.name: one for one in model.graph.initializer}
    return next(((stored[one], at) for at, one in enumerate(layer.input[:2]) if one in stored), None)


def _width(layer: Any, model: Any) -> int | None:
    """Return the numbers that a layer gives."""
    found = _weights(layer, model)
    if found is None or len(found[0].dims) != 2:
        return None
    transposed = any(one.name == "transB" and one.i for one in layer.attribute)
    return int(found[0].dims[0 if transposed else 1])


def _taken(layer: Any, model: Any) -> str:
    """Return the tensor that a layer multiplies with its matrix."""
    found = _weights(layer, model)
    assert found is not None, "its width is known"
    return str(layer.input[1 - found[1]])


def _shape(value: Any) -> tuple[int | None, ...]:
    """Return the shape of an input; ``None`` for free lengths."""
    if not value.type.HasField("tensor_type"):
        raise ManifestError(f"input {value.name} is no tensor, expected pictures", "name another network")
    dims = value.type.tensor_type.shape.dim
    return tuple(dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in dims)
