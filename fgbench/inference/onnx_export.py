"""Trained networks as ONNX files: the whole way from stored faces to probabilities in one graph.

Input ``faces``: uint8 RGB (N, 3, 224, 224), aligned; N is free. Outputs: ``probabilities`` (N, K),
``basic_probabilities`` (N, M; M is 0 for classes without upper classes), ``regions`` (N, n, 4) in px of the
face (n is 0 without zoom). Enlarging, crop and normalisation are part of the graph. Names of the classes and
the origin are in its metadata.
"""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

import fgbench
from fgbench import storage
from fgbench.errors import DependencyError
from fgbench.inputs.crops import enlarge, without_colour
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods.msau.opened import ImageNetwork
from fgbench.models.receptive_field import FACE_PX
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.weights import Trained

OPSET = 18
"""Version of ONNX's operators; GridSample as needed came with 16."""

TOLERANCE = 1e-4
"""Largest difference to the original, of probabilities, that counts as equal."""

OUTPUTS = ("probabilities", "basic_probabilities", "regions")
"""Names of the outputs, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation:
    """How far an exported network is from the original.

    Attributes:
        n_faces: Faces that were compared.
        probabilities: Largest absolute difference of two probabilities, of both levels of classes.
        regions_px: Largest difference of two edges of regions; 0 without zoom.
    """

    n_faces: int
    probabilities: float
    regions_px: float


class Prepared(nn.Module):
    """Centre crops of stored faces, normalised as a network takes them.

    Args:
        known: How it was trained.
    """

    def __init__(self, known: Preprocessing) -> None:
        super().__init__()
        self._resize_px = known.resize_px
        self._is_grey = known.grey
        # Not `crops.normalise`: what it keeps for the next call would be of the exporter's own kind.
        mean, std = (torch.tensor(part, dtype=torch.float64) for part in (known.mean, known.std))
        self.register_buffer("scale", (1.0 / std).float()[:, None, None])
        self.register_buffer("shift", (-mean / std).float()[:, None, None])

    def forward(self, faces: Tensor) -> Tensor:
        """Float (N, 3, 224, 224) of faces (N, 3, 224, 224) uint8."""
        margin_px = (self._resize_px - FACE_PX) // 2
        inside = slice(margin_px, margin_px + FACE_PX)
        shown = without_colour(faces) if self._is_grey else faces
        crops = enlarge(shown, self._resize_px)[:, :, inside, inside]
        return torch.addcmul(self.shift, crops, self.scale)


class _Whole(nn.Module):
    """From stored faces to what is asked of a network."""

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__()
        self.network = network.model
        self._preprocessing = network.preprocessing
        self.prepared = Prepared(network.preprocessing)
        self.register_buffer("upper", torch.from_numpy(network.labels.upper_matrix()))

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities of both levels and regions, of faces (N, 3, 224, 224) uint8."""
        known = self._preprocessing
        seen = self.network.see(self.prepared(faces))
        outputs = self.network.classify(seen.maps)
        fine = outputs.probabilities()
        basic = fine @ self.upper if outputs.basic is None else outputs.basic_probabilities()
        return fine, basic, known.in_face(seen.boxes)


def export_onnx(
    network: ImageNetwork, path: Path, *, check: bool = True, faces: Tensor | None = None
) -> Deviation | None:
    """Write a network as one ONNX file.

    Args:
        network: On the CPU.
        path: The file; it appears when it is complete and, if asked, compared.
        check: Whether ONNX Runtime is asked the same as the network.
        faces: uint8 faces (N, 3, 224, 224) to compare on beside random ones.

    Returns:
        How far the export is from the network; ``None`` without check.

    Raises:
        DependencyError: If a package is missing, or the export deviates by more than :data:`TOLERANCE`.
        ResourceError: If the file cannot be written.
    """

    def compare(session: Any) -> Deviation:
        return _compare(network, session, examples(faces))

    return write_onnx(_Whole(network).eval(), OUTPUTS, _properties(network), path, compare if check else None)


def write_onnx(
    whole: nn.Module,
    outputs: Sequence[str],
    told: Mapping[str, str],
    path: Path,
    compare: Callable[[Any], Deviation] | None,
) -> Deviation | None:
    """Write a module that takes stored faces as one ONNX file.

    Args:
        whole: On the CPU, in evaluation mode.
        outputs: Names of what it gives.
        told: Metadata of the file.
        path: The file; it appears when it is complete and, if asked, compared.
        compare: Compares a session of ONNX Runtime with the network; ``None`` does not.

    Returns:
        What ``compare`` found.

    Raises:
        DependencyError: If a package is missing, or the export deviates by more than :data:`TOLERANCE`.
        ResourceError: If the file cannot be written.
    """
    onnx, _, onnxruntime = require_packages()
    # Two faces: a batch of one would be taken for a constant.
    example = torch.zeros((2, 3, FACE_PX, FACE_PX), dtype=torch.uint8)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            whole,
            (example,),
            dynamo=True,
            opset_version=OPSET,
            input_names=["faces"],
            output_names=list(outputs),
            dynamic_shapes={"faces": {0: torch.export.Dim("N", min=1)}},
            verbose=False,
        )
    model = program.model_proto
    onnx.helper.set_model_props(model, told)
    data = model.SerializeToString()
    deviation = None
    if compare is not None:
        session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
        deviation = compare(session)
        if deviation.probabilities > TOLERANCE:
            raise DependencyError(
                f"what was exported differs from the network by {deviation.probabilities:.1e}, expected at "
                f"most {TOLERANCE:.0e}; nothing was written",
                "install other versions of onnx, onnxscript and onnxruntime, or say --no-check",
            )
    storage.write_bytes(path, data)
    return deviation


def require_packages() -> tuple[Any, Any, Any]:
    """The packages of the export: onnx, onnxscript, onnxruntime.

    Raises:
        DependencyError: If one is missing.
    """
    try:
        import onnx
        import onnxruntime
        import onnxscript
    except ImportError as error:
        raise DependencyError(
            f"the export needs a package that is not installed ({error.name})",
            "pip install 'fgbench[export]'",
        ) from error
    return onnx, onnxscript, onnxruntime


def _properties(network: ImageNetwork) -> Mapping[str, str]:
    return {
        **origin_of(network.trained),
        "classes": json.dumps(list(network.classes)),
        "basic": json.dumps(list(network.upper)),
        "basic_source": "own outputs" if network.has_basic_head else "sums over classes",
    }


def origin_of(trained: Trained) -> dict[str, str]:
    """What the metadata of an ONNX file tell of any network."""
    return {
        "fgbench": fgbench.__version__,
        "run": trained.name,
        "weights_sha256": trained.digest,
        "input": "uint8 RGB faces (N, 3, 224, 224), aligned by fgbench",
        **({"faces": json.dumps(origin)} if (origin := trained.metadata.get(FACE_ORIGIN)) else {}),
    }


def examples(faces: Tensor | None) -> npt.NDArray[np.uint8]:
    """Random faces, and those given, (N, 3, 224, 224), to compare on."""
    random = np.random.default_rng(0).integers(0, 256, (3, 3, FACE_PX, FACE_PX), np.uint8)
    return random if faces is None else np.concatenate([random, faces.numpy()])


def _compare(network: ImageNetwork, session: Any, faces: npt.NDArray[np.uint8]) -> Deviation:
    """Ask both the same, in batches of several sizes."""
    n_regions = network.model.config.zooms
    largest = np.zeros(len(OUTPUTS))
    for batch in (faces[:1], faces[1:]):
        answer = network.ask(batch.transpose(0, 2, 3, 1))
        wanted = (answer.fine, answer.basic, answer.boxes[:, :n_regions])
        given = session.run(list(OUTPUTS), {"faces": batch})
        for place, (one, other) in enumerate(zip(wanted, given, strict=True)):
            largest[place] = max(largest[place], np.abs(one - other).max(initial=0.0))
    return Deviation(n_faces=len(faces), probabilities=float(largest[:2].max()), regions_px=float(largest[2]))


@contextmanager
def _quiet() -> Iterator[None]:
    """The exporter tells of its steps and of operators of torchvision, which is no part of fgbench."""
    log = logging.getLogger("torch.onnx")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)
