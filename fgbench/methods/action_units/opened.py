"""A trained detector of action units, ready for inference: faces in, probabilities of units out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fgbench.config import TrunkConfig
from fgbench.errors import ManifestError
from fgbench.inputs.batching import Source
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.methods._networks.single_faces import OfStoredFaces, face_tensor
from fgbench.methods.action_units.task import unit_probabilities
from fgbench.methods.protocol import FacePosition, FacePredictions, Floats, Task
from fgbench.methods.protocol.graph import Graph, Prepared, graph_of_faces
from fgbench.models.drml import AuNet, Embedding, Trunk
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.weights import Trained

KIND = "au"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""

OUTPUTS = ("probabilities",)
"""Names of the outputs of the exported network."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitDetector(OfStoredFaces):
    """A trained detector of action units; see :class:`fgbench.methods.protocol.UnitNetwork`.

    Attributes:
        model: In evaluation mode, on the device.
        preprocessing: From faces to its input.
        trained: Its weights.
        device: Device of the model.
    """

    model: AuNet
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device

    @property
    def task(self) -> Task:
        """``"units"``."""
        return "units"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the units, in the order of the probabilities."""
        return tuple(self.trained.metadata["action_units"])

    @property
    def upper(self) -> tuple[str, ...]:
        """Empty: units have no upper classes."""
        return ()

    @property
    def grey(self) -> bool:
        """Whether its faces are grey."""
        return self.preprocessing.grey

    @torch.inference_mode()
    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Detect units of faces: :attr:`FacePredictions.fine` holds the probability of each unit by itself.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.
            positions: Ignored.

        Raises:
            ValueError: If they have another shape or type.
        """
        images = face_tensor(faces).to(self.device)
        probabilities = self.model(self.preprocessing.centre(images)).float().sigmoid().cpu().numpy()
        n = len(probabilities)
        return FacePredictions(
            fine=probabilities,
            basic_sum=np.zeros((n, 0), np.float32),
            basic_head=None,
            boxes=np.zeros((n, 0, 4), np.float32),
        )

    def probabilities(self, images: Source) -> Floats:
        """See :class:`fgbench.methods.protocol.UnitNetwork`."""
        return unit_probabilities(self.model, self.preprocessing, images, n_units=len(self.classes))

    def graph(self) -> Graph:
        """Input ``faces``: uint8 RGB (N, 3, 224, 224), aligned; N is free. Output ``probabilities`` (N, A),
        each unit by itself. Enlarging, crop and normalisation are part of the graph; the metadata name the
        units (``action_units``, a JSON list)."""

        def predict(faces: npt.NDArray[np.uint8]) -> Sequence[Floats]:
            return (self.predict_faces(faces).fine,)

        metadata = {"action_units": json.dumps(list(self.classes))}
        return graph_of_faces(_Whole(self), OUTPUTS, predict, self.trained, metadata)


class _Whole(nn.Module):
    """Module from stored faces (N, 3, 224, 224) uint8 to probabilities (N, A)."""

    def __init__(self, network: UnitDetector) -> None:
        super().__init__()
        self.prepared = Prepared(network.preprocessing)
        self.network = network.model

    def forward(self, faces: Tensor) -> tuple[Tensor]:
        return (self.network(self.prepared(faces)).sigmoid(),)


def open_trained(trained: Trained, device: torch.device) -> UnitDetector:
    """Build the detector of trained weights.

    Raises:
        ManifestError: If they are of another kind, or do not fit the network that they describe.
    """
    origin, metadata = str(trained.path), trained.metadata
    trained.require(KIND, purpose="(a detector of action units)")
    try:
        trunk_config = TrunkConfig.model_validate(metadata["trunk"])
    except ValidationError as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this fgbench knows ({error})",
            "update fgbench, or train the network anew",
        ) from error
    preprocessing = Preprocessing.of_metadata(metadata, origin)

    def build() -> AuNet:
        trunk = Trunk(trunk_config)
        embedding = Embedding(
            trunk.channels, fc_hidden=metadata["fc_hidden"], embedding=metadata["embedding"], dropout=0.0
        )
        return AuNet(trunk, embedding, n_action_units=len(metadata["action_units"]))

    check_fit(build, trained.state, origin=origin)
    model = build()
    load_into(model, trained.state, origin=origin)
    model.to(device=device, memory_format=torch.channels_last)  # as in training, to the last digit
    return UnitDetector(model=model.eval(), preprocessing=preprocessing, trained=trained, device=device)
