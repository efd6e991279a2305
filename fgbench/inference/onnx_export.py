"""Trained networks as ONNX files: from stored pictures to probabilities in one program.

The network defines inputs and outputs (:class:`fgbench.methods.protocol.graph.Graph`); inputs are uint8, and
the number of their rows is free. Crops and normalisation are part of the program. Names of the classes and
the origin are in its metadata.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from fgbench import storage
from fgbench.errors import DependencyError, package_missing
from fgbench.inference.onnx_merging import FOR_CORE, FROM_CORE, merged
from fgbench.methods.protocol import Opened
from fgbench.methods.protocol.graph import FACES, REGIONS, Graph, Pictures

OPSET = 18
"""Version of ONNX's operators; the needed GridSample came with 16."""

TOLERANCE = 1e-4
"""Largest difference of probabilities to the original that counts as equal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """Difference of an exported network to the original.

    Attributes:
        n: Rows of the first input that were compared.
        rows: Name of the rows, e.g. ``"faces"``.
        probabilities: Largest absolute difference of two probabilities (of classes, upper classes, units,
            streams), or of two weights of attention.
        regions_px: Largest difference of two edges of regions; 0 without zoom.
    """

    n: int
    rows: str
    probabilities: float
    regions_px: float


def export_onnx(
    network: Opened, path: Path, *, check: bool = True, faces: Tensor | None = None
) -> Deviation | None:
    """Write a network as one ONNX file.

    Args:
        network: On the CPU.
        path: The file; it appears when it is complete and, with ``check``, compared.
        check: Whether outputs of ONNX Runtime and of the network are compared.
        faces: uint8 faces (N, 3, 224, 224) to compare on beside random ones, if the network takes faces.

    Returns:
        Difference of the export to the network; ``None`` without check.

    Raises:
        DependencyError: If a package is missing, or the export deviates by more than :data:`TOLERANCE`.
        ResourceError: If the file cannot be written.
    """
    onnx, _, onnxruntime = require_packages()
    graph = network.graph()
    # At least two rows, and different numbers per input: equal ones, or one, would become constants.
    example = {
        name: torch.zeros((2 + number, *shape), dtype=torch.uint8)
        for number, (name, shape) in enumerate(graph.inputs.items())
    }
    if graph.core is None:
        model = _exported(graph.module, example, graph.outputs)
    else:
        before = _exported(graph.module, example, [FOR_CORE])
        after = _exported(graph.core.after, {FROM_CORE: graph.core.example}, graph.outputs)
        model = merged(before, graph.core, after)
    onnx.helper.set_model_props(model, graph.metadata)
    data = model.SerializeToString()
    deviation = None
    if check:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        deviation = _compare(graph, session, faces)
        if deviation.probabilities > TOLERANCE:
            raise DependencyError(
                f"what was exported differs from the network by {deviation.probabilities:.1e}, expected at "
                f"most {TOLERANCE:.0e}; nothing was written",
                "install other versions of onnx, onnxscript and onnxruntime, or leave the check out",
            )
    storage.write_bytes(path, data)
    return deviation


def _exported(module: nn.Module, example: Mapping[str, Tensor], outputs: Sequence[str]) -> Any:
    """Return the ``ModelProto`` of a module; the number of rows of each input is free."""
    with _silent_exporter(), torch.no_grad():
        program = torch.onnx.export(
            module,
            tuple(example.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(example),
            output_names=list(outputs),
            dynamic_shapes=tuple({0: torch.export.Dim(f"n_{name}", min=1)} for name in example),
            verbose=False,
        )
    return program.model_proto


def require_packages() -> tuple[Any, Any, Any]:
    """Import the packages of the export: onnx, onnxscript, onnxruntime.

    Raises:
        DependencyError: If one is missing.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise package_missing("the export needs", error.name, extra="export") from error
    return onnx, onnxscript, onnxruntime


def _compare(graph: Graph, session: Any, faces: Tensor | None) -> Deviation:
    """Compare both on batches of several sizes."""
    largest = dict.fromkeys(graph.outputs, 0.0)
    n = 0
    for pictures in _batches(graph, faces):
        n += len(next(iter(pictures.values())))
        given = session.run(list(graph.outputs), dict(pictures))
        for name, one, other in zip(graph.outputs, graph.predict(pictures), given, strict=True):
            largest[name] = max(largest[name], float(np.abs(one - other).max(initial=0.0)))
    regions_px = largest.pop(REGIONS, 0.0)
    rows = next(iter(graph.rows.values()))
    return Deviation(n=n, rows=rows, probabilities=max(largest.values()), regions_px=regions_px)


def _batches(graph: Graph, faces: Tensor | None) -> Iterator[Pictures]:
    """Random pictures: one row of each input, then different numbers of rows; with stored faces if the
    network takes faces."""
    random = np.random.default_rng(0)
    drawn = {
        name: random.integers(0, 256, (3 + number, *shape), np.uint8)
        for number, (name, shape) in enumerate(graph.inputs.items())
    }
    if FACES in drawn and faces is not None:
        drawn[FACES] = np.concatenate([drawn[FACES], faces.numpy()])
    yield {name: rows[:1] for name, rows in drawn.items()}
    yield {name: rows[1:] for name, rows in drawn.items()}


@contextmanager
def _silent_exporter() -> Iterator[None]:
    """Silence the exporter's messages on its steps and on torchvision's operators."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
