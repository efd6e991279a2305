"""A trained image network, ready for inference: faces in, classes and regions out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor, nn

from fgbench.config import NetworkConfig
from fgbench.errors import ManifestError
from fgbench.inputs.preprocessing import Preprocessing
from fgbench.inputs.resident import RESIDENT_MB
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.image_roles import open_images
from fgbench.methods._networks.single_faces import OfSingleFaces, face_tensor
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.msau.backbone_trunk import reopened_trunk
from fgbench.methods.msau.outcome import write_branches, write_regions
from fgbench.methods.msau.task import look, predict
from fgbench.methods.protocol import FacePosition, FacePredictions, Floats, PredictedImages, upper_sums
from fgbench.methods.protocol.graph import REGIONS, Graph, Prepared, graph_of_faces
from fgbench.models.msau import MsauNet
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.training_details import CELLS
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

KIND = "image"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""

OUTPUTS = ("probabilities", "basic_probabilities", REGIONS)
"""Names of the outputs of the exported network, in their order."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ImageNetwork(OfSingleFaces):
    """A trained image network; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        model: In evaluation mode, on the device.
        preprocessing: From faces to its input.
        trained: Its weights.
        device: Device of the model.
        labels: The classes, in the order of the probabilities.
    """

    model: MsauNet
    preprocessing: Preprocessing
    trained: Trained
    device: torch.device
    labels: LabelSet

    @property
    def grey(self) -> bool:
        """Whether its faces are grey."""
        return self.preprocessing.grey

    @property
    def n_zooms(self) -> int:
        """Number of regions that it zooms into."""
        return self.model.config.zooms

    @property
    def has_basic_head(self) -> bool:
        """Whether it has its own outputs for the upper classes."""
        return bool(self.trained.metadata["basic"])

    @torch.inference_mode()
    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.
            positions: Ignored.

        Raises:
            ValueError: If they have another shape or type.
        """
        seen = look(self.model, self.preprocessing, face_tensor(faces).to(self.device))
        fine = seen.probabilities
        return FacePredictions(
            fine=fine,
            basic_sum=upper_sums(fine, self.labels),
            basic_head=seen.basic if self.has_basic_head else None,
            boxes=seen.boxes,
        )

    def check_data(self, context: TrainingContext) -> list[str]:
        """See :class:`fgbench.methods.protocol.ImageNetwork`."""
        return refuse_other_faces(self.trained, context)

    def predict(self, context: TrainingContext, samples: Sequence[Sample]) -> PredictedImages:
        """See :class:`fgbench.methods.protocol.ImageNetwork`; each scale's probabilities and the regions are
        kept."""
        images = open_images(context, samples, resident_mb=RESIDENT_MB)
        predicted = predict(self.model, self.preprocessing, images.images)

        def write(folder: Path) -> None:
            write_branches(folder, images.sample_ids, predicted.branches)
            if predicted.strength.shape[1]:
                write_regions(folder, images.sample_ids, predicted)

        details: dict[str, Any] = {"kind": "image", "regions": self.model.config.zooms}
        if self.model.config.is_on_backbone:
            details[CELLS] = self.model.trunk.cells
        return PredictedImages(probabilities=predicted.probabilities, details=details, write=write)

    def graph(self) -> Graph:
        """Input ``faces``: uint8 RGB (N, 3, 224, 224), aligned; N is free. Outputs: ``probabilities`` (N, K),
        ``basic_probabilities`` (N, M; M is 0 for classes without upper classes), ``regions`` (N, n, 4) in px
        of the face (n is 0 without zoom). Enlarging, crop and normalisation are part of the graph."""

        def predict(faces: npt.NDArray[np.uint8]) -> Sequence[Floats]:
            predictions = self.predict_faces(faces)
            return predictions.fine, predictions.basic, predictions.boxes[:, : self.n_zooms]

        metadata = {
            "classes": json.dumps(list(self.classes)),
            "basic": json.dumps(list(self.upper)),
            "basic_source": "own outputs" if self.has_basic_head else "sums over classes",
        }
        return graph_of_faces(_Whole(self), OUTPUTS, predict, self.trained, metadata)


class _Whole(nn.Module):
    """Module from stored faces to the exported outputs."""

    def __init__(self, network: ImageNetwork) -> None:
        super().__init__()
        self.network = network.model
        self._preprocessing = network.preprocessing
        self.prepared = Prepared(network.preprocessing)
        self.register_buffer("upper", torch.from_numpy(network.labels.upper_matrix()))

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Probabilities of both levels and regions, of faces (N, 3, 224, 224) uint8."""
        seen = self.network.see(self.prepared(faces))
        outputs = self.network.classify(seen.maps)
        fine = outputs.probabilities()
        basic = fine @ self.upper if outputs.basic is None else outputs.basic_probabilities()
        return fine, basic, self._preprocessing.in_face(seen.boxes)


def open_network(trained: Trained, device: torch.device) -> ImageNetwork:
    """Build the network of trained weights.

    Raises:
        FgbenchError: If a network of the user's that it is on cannot be opened.
        ManifestError: If they are of another kind, for other classes, do not fit the network that they
            describe, or a network of the user's that it is on is not there or is another.
    """
    origin = str(trained.path)
    trained.require("image", purpose="(a network of images)")
    labels = labels_of(trained)
    upper = trained.metadata.get("basic")
    if upper not in ([], list(labels.upper)):
        raise ManifestError(
            f"the weights of {origin} have other upper classes: {upper}, expected {list(labels.upper)} or "
            "none",
            "take weights that were trained for these classes, or train the network anew",
        )
    try:
        config = NetworkConfig.model_validate(trained.metadata.get("network"))
    except ValidationError as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this fgbench knows: "
            f"{error.error_count()} faults, the first: {error.errors()[0]['msg']}",
            "update fgbench, or train the network anew",
        ) from error
    preprocessing = Preprocessing.of_metadata(trained.metadata, origin)
    trunk, state = reopened_trunk(trained, device) if config.is_on_backbone else (None, trained.state)

    def made() -> MsauNet:
        return MsauNet(config, n_fine=len(labels.labels), n_basic=len(upper), trunk=trunk)

    check_fit(made, state, origin=origin)
    model = made()
    load_into(model, state, origin=origin)
    # Memory format of training: sums in another order would differ in the last digit.
    model.to(device=device, memory_format=torch.channels_last if trunk is None else torch.preserve_format)
    return ImageNetwork(
        model=model.eval(), preprocessing=preprocessing, trained=trained, device=device, labels=labels
    )


open_trained = open_network  # for fgbench.methods.protocol.kinds
