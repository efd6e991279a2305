"""An ONNX file of the user's between what a network does before and after it, as one graph."""

from __future__ import annotations

from typing import Any

from fgbench.errors import DependencyError
from fgbench.methods.protocol.graph import Core

FOR_CORE, FROM_CORE = "for_core", "from_core"
"""Output of the part before, and input of the part after."""

_BEFORE, _CORE, _AFTER = "before/", "network/", "after/"


def merged(before: Any, core: Core, after: Any) -> Any:
    """Return one graph of three, with the inputs of the first and the outputs of the last.

    Args:
        before: ``ModelProto`` with the output :data:`FOR_CORE`.
        core: The file.
        after: ``ModelProto`` with the input :data:`FROM_CORE`.

    Raises:
        DependencyError: If onnx cannot bring the file to the version of operators of the others, or join it.
    """
    import onnx

    try:
        middle = _raised(core.model, _version(before))
        models = [onnx.ModelProto(), onnx.ModelProto(), onnx.ModelProto()]
        for model, made in zip(models, (before, middle, after), strict=True):
            model.CopyFrom(made)
            model.ir_version = before.ir_version
            del model.metadata_props[:]
        for output in models[1].graph.output:
            if output.name == core.given:
                output.type.tensor_type.elem_type = (
                    output.type.tensor_type.elem_type or onnx.TensorProto.FLOAT
                )
        first = _named(models[0], _BEFORE, keep_inputs=True)
        both = onnx.compose.merge_models(
            first,
            onnx.compose.add_prefix(models[1], _CORE),
            io_map=[(_BEFORE + FOR_CORE, _CORE + core.taken)],
            outputs=[_CORE + core.given],
        )
        return onnx.compose.merge_models(
            both,
            _named(models[2], _AFTER, keep_inputs=False),
            io_map=[(_CORE + core.given, _AFTER + FROM_CORE)],
        )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise DependencyError(
            f"the ONNX file cannot be joined with its head: {reason}; nothing was written",
            f"export the network itself with operators of version {_version(before)}",
        ) from error


def _version(model: Any) -> int:
    return max(int(one.version) for one in model.opset_import if one.domain in ("", "ai.onnx"))


def _raised(model: Any, version: int) -> Any:
    """Return a model with operators of a version."""
    import onnx

    return model if _version(model) == version else onnx.version_converter.convert_version(model, version)


def _named(model: Any, prefix: str, *, keep_inputs: bool) -> Any:
    """Return a model whose inner names begin with a prefix; its own inputs, or its outputs, keep theirs."""
    import onnx

    kept = {one.name for one in (model.graph.input if keep_inputs else model.graph.output)}
    renamed = onnx.compose.add_prefix(model, prefix)
    for node in renamed.graph.node:
        for names in (node.input, node.output):
            for at, name in enumerate(names):
                if name.removeprefix(prefix) in kept and name.startswith(prefix):
                    names[at] = name.removeprefix(prefix)
    for value in (*renamed.graph.input, *renamed.graph.output):
        if value.name.startswith(prefix) and value.name.removeprefix(prefix) in kept:
            value.name = value.name.removeprefix(prefix)
    return renamed
