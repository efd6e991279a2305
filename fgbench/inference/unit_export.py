"""Trained detectors of action units as ONNX files: from stored faces to probabilities in one graph.

Input ``faces``: uint8 RGB (N, 3, 224, 224), aligned; N is free. Output ``probabilities`` (N, A), each unit by
itself. Enlarging, crop and normalisation are part of the graph. Names of the units and the origin are in its
metadata (``action_units``, a JSON list).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import Tensor, nn

from fgbench.inference.onnx_export import Deviation, Prepared, examples, origin_of, write_onnx
from fgbench.inference.units import UnitNetwork

OUTPUTS = ("probabilities",)
"""Names of the outputs."""


class _Whole(nn.Module):
    """From stored faces (N, 3, 224, 224) uint8 to probabilities (N, A)."""

    def __init__(self, network: UnitNetwork) -> None:
        super().__init__()
        self.prepared = Prepared(network.preprocessing)
        self.network = network.model

    def forward(self, faces: Tensor) -> Tensor:
        found: Tensor = self.network(self.prepared(faces)).sigmoid()
        return found


def export_units(
    network: UnitNetwork, path: Path, *, check: bool = True, faces: Tensor | None = None
) -> Deviation | None:
    """Write a detector as one ONNX file; arguments, result and errors as those of
    :func:`fgbench.inference.onnx_export.export_onnx`."""

    def compare(session: Any) -> Deviation:
        compared = examples(faces)
        largest = 0.0
        for batch in (compared[:1], compared[1:]):
            wanted = network.ask(batch.transpose(0, 2, 3, 1)).fine
            given: npt.NDArray[np.float32] = session.run(list(OUTPUTS), {"faces": batch})[0]
            largest = max(largest, float(np.abs(wanted - given).max(initial=0.0)))
        return Deviation(n_faces=len(compared), probabilities=largest, regions_px=0.0)

    told = {**origin_of(network.trained), "action_units": json.dumps(list(network.classes))}
    return write_onnx(_Whole(network).eval(), OUTPUTS, told, path, compare if check else None)
