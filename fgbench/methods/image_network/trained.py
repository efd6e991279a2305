"""A trained image network of any module, ready for inference: faces in, classes out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fgbench.errors import ManifestError
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.resident import RESIDENT_MB
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.image_roles import open_images
from fgbench.methods._networks.single_faces import OfSingleFaces, face_tensor
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.image_network.run import Build, Config
from fgbench.methods.image_network.task import predict_faces
from fgbench.methods.protocol import FacePosition, FacePredictions, Floats, PredictedImages
from fgbench.methods.protocol.graph import Graph, Prepared, graph_of_faces
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.weights import Trained
from fgbench.runs.weights_metadata import check_metadata
from fgbench.training.context import TrainingContext

OUTPUTS = ("probabilities", "basic_probabilities")
"""Names of the outputs of the exported network."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OwnImageNetwork(OfSingleFaces):
    """A trained image network; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        model: In evaluation mode, on the device: normalised faces (B, 3, 224, 224) to logits (B, K).
        preprocessing: From faces to its input.
        trained: Its weights.
        device: Device of the model.
        labels: The classes, in the order of the logits.
    """

    model: nn.Module
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device
    labels: LabelSet

    @property
    def grey(self) -> bool:
        """Whether its faces are grey."""
        return self.preprocessing.grey

    @torch.inference_mode()
    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces (N, 224, 224, 3) uint8 RGB, aligned; ``positions`` is ignored.

        Raises:
            ValueError: If they have another shape or type.
        """
        seen = self.preprocessing.centre(face_tensor(faces).to(self.device))
        return FacePredictions.of_classes(self.model(seen).float().softmax(1).cpu().numpy(), self.labels)

    def check_data(self, context: TrainingContext) -> list[str]:
        """See :class:`fgbench.methods.protocol.ImageNetwork`."""
        return refuse_other_faces(self.trained, context)

    def predict(self, context: TrainingContext, samples: Sequence[Sample]) -> PredictedImages:
        """See :class:`fgbench.methods.protocol.ImageNetwork`."""
        images = open_images(context, samples, resident_mb=RESIDENT_MB).images
        probabilities = predict_faces(self.model, self.preprocessing, images)
        return PredictedImages(probabilities=probabilities, details={"kind": "image"})

    def graph(self) -> Graph:
        """Input ``faces``: uint8 RGB (N, 3, 224, 224), aligned; N is free. Outputs: ``probabilities`` (N, K),
        ``basic_probabilities`` (N, M): sums over the classes. Enlarging, crop and normalisation are part of
        the graph."""

        def predict(faces: npt.NDArray[np.uint8]) -> Sequence[Floats]:
            predictions = self.predict_faces(faces)
            return predictions.fine, predictions.basic

        metadata = {
            "classes": json.dumps(list(self.classes)),
            "basic": json.dumps(list(self.upper)),
            "basic_source": "sums over classes",
        }
        return graph_of_faces(_Whole(self), OUTPUTS, predict, self.trained, metadata)


class _Whole(nn.Module):
    """Module from stored faces (N, 3, 224, 224) uint8 to probabilities of both levels."""

    def __init__(self, network: OwnImageNetwork) -> None:
        super().__init__()
        self.prepared = Prepared(network.preprocessing)
        self.network = network.model
        self.register_buffer("upper", torch.from_numpy(network.labels.upper_matrix()))

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        fine = self.network(self.prepared(faces)).float().softmax(1)
        return fine, fine @ self.upper


def open_trained(
    trained: Trained, device: torch.device, *, recipe: type[Config], build: Build[Config]
) -> OwnImageNetwork:
    """Build the network of weights of :func:`fgbench.methods.image_network.run`.

    Args:
        trained: The weights.
        device: Device to put it on.
        recipe: Model of the method's recipes.
        build: Builds the network, as in training.

    Raises:
        ManifestError: If they are for other classes, lack metadata that such weights have, or do not fit the
            network that they describe.
    """
    origin = str(trained.path)
    check_metadata(trained.metadata, origin=origin, kind="image")
    labels = labels_of(trained)
    try:
        config = recipe.model_validate(trained.metadata["network"])
    except ValidationError as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this {trained.kind} knows: "
            f"{error.error_count()} faults, the first: {error.errors()[0]['msg']}",
            "take the version of the method that they were trained with, or train the network anew",
        ) from error

    def made() -> nn.Module:
        return build(config, len(labels.labels))

    check_fit(made, trained.state, origin=origin)
    model = made()
    load_into(model, trained.state, origin=origin)
    return OwnImageNetwork(
        model=model.to(device).eval(),
        preprocessing=Preprocessing.of_metadata(trained.metadata, origin),
        trained=trained,
        device=device,
        labels=labels,
    )
