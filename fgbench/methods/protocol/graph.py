"""Graph of a network to write as ONNX: a module from pictures to probabilities, and how to check it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

import fgbench
from fgbench.inputs.crops import enlarge, without_colour
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.models.receptive_field import FACE_PX
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.weights import Trained

FACES = "faces"
"""Name of an input that takes stored faces, uint8 RGB (N, 3, 224, 224)."""

REGIONS = "regions"
"""Name of the output of regions (N, n, 4), in px of the 224 px face; all other outputs are probabilities or
weights, 0 to 1."""

Pictures = Mapping[str, npt.NDArray[np.uint8]]
"""Inputs by name, uint8."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Core:
    """An ONNX file of the user's in the middle of a network.

    Attributes:
        model: Its ``ModelProto``.
        taken: Name of its input, which the network's module makes.
        given: Name of its output.
        example: Two rows or more of that output.
        after: Module from that output to a tuple of the network's outputs.
    """

    model: Any
    taken: str
    given: str
    example: Tensor
    after: nn.Module


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """A network as a program to export.

    Attributes:
        module: On the CPU, in evaluation mode: inputs in their order to a tuple of outputs; with a core to
            its input.
        inputs: By name: shape of one row of the input, uint8; rows stand along a first, free axis.
        rows: Name of the rows of an input, by its name, e.g. ``"faces"``.
        outputs: Names of the outputs, in their order.
        metadata: Metadata of the file.
        predict: Computes the outputs, in their order, by the network itself.
        core: ONNX file in the middle of the network; ``None`` where it is all of torch.
    """

    module: nn.Module
    inputs: Mapping[str, tuple[int, ...]]
    rows: Mapping[str, str]
    outputs: Sequence[str]
    metadata: Mapping[str, str]
    predict: Callable[[Pictures], Sequence[npt.NDArray[np.float32]]]
    core: Core | None = None


class Prepared(nn.Module):
    """Centre crops of stored faces, normalised as a network takes them.

    Args:
        preprocessing: Preprocessing of its training.
    """

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self._resize_px = preprocessing.resize_px
        self._is_grey = preprocessing.grey
        self.normalised = Normalised(preprocessing.mean, preprocessing.std)

    def forward(self, faces: Tensor) -> Tensor:
        """Return float (N, 3, 224, 224) of faces (N, 3, 224, 224) uint8."""
        margin_px = (self._resize_px - FACE_PX) // 2
        inside = slice(margin_px, margin_px + FACE_PX)
        shown = without_colour(faces) if self._is_grey else faces
        return self.normalised(enlarge(shown, self._resize_px)[:, :, inside, inside])


class Normalised(nn.Module):
    """``(pictures - mean) / std`` per channel.

    Args:
        mean: Per channel, in grey levels.
        std: Likewise.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float]) -> None:
        super().__init__()
        # Not `crops.normalise`: tensors that it caches would be of the exporter's type.
        mean_C, std_C = (torch.tensor(part, dtype=torch.float64) for part in (list(mean), list(std)))
        self.register_buffer("scale", (1.0 / std_C).float()[:, None, None])
        self.register_buffer("shift", (-mean_C / std_C).float()[:, None, None])

    def forward(self, pictures: Tensor) -> Tensor:
        """Return pictures (..., C, H, W), 0 to 255, normalised as float32."""
        return torch.addcmul(self.shift, pictures.float(), self.scale)


def origin_of(trained: Trained, takes: str) -> dict[str, str]:
    """Return the metadata of an ONNX file that all networks have.

    Args:
        trained: The network.
        takes: Description of its input.
    """
    return {
        "fgbench": fgbench.__version__,
        "run": trained.name,
        "weights_sha256": trained.digest,
        "input": takes,
        **({FACES: json.dumps(origin)} if (origin := trained.metadata.get(FACE_ORIGIN)) else {}),
    }


STORED_FACES = "uint8 RGB faces (N, 3, 224, 224), aligned by fgbench"
"""Description of the input of networks of stored faces."""


def graph_of_faces(
    module: nn.Module,
    outputs: Sequence[str],
    predict: Callable[[npt.NDArray[np.uint8]], Sequence[npt.NDArray[np.float32]]],
    trained: Trained,
    metadata: Mapping[str, str],
) -> Graph:
    """Return the graph of a network of stored faces: one input, :data:`FACES`.

    Args:
        module: From faces (N, 3, 224, 224) uint8 to the outputs.
        outputs: Their names.
        predict: Computes the outputs of faces (N, 224, 224, 3) uint8 RGB by the network itself.
        trained: Its weights.
        metadata: Further metadata.
    """
    return Graph(
        module=module.eval(),
        inputs={FACES: (3, FACE_PX, FACE_PX)},
        rows={FACES: FACES},
        outputs=outputs,
        metadata={**origin_of(trained, STORED_FACES), **metadata},
        predict=lambda pictures: predict(pictures[FACES].transpose(0, 2, 3, 1)),
    )
