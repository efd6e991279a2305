"""A frozen network with its head, ready for inference: faces in, classes out.

Crops of new faces are cut as those that the head was trained on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from fgbench.faces.chips import cut_chip
from fgbench.faces.geometry import apply_transform, compose
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.single_faces import OfSingleFaces, check_faces
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.backbone.crop_source import arcface_crop
from fgbench.methods.backbone.exported import graph_of
from fgbench.methods.backbone.head import Head
from fgbench.methods.backbone.kept_features import Prepared, features_of
from fgbench.methods.backbone.opening import reopen
from fgbench.methods.backbone.taken import read_taken
from fgbench.methods.backbone.trained_head import read_about, read_head
from fgbench.methods.finetuning.put_back import restored
from fgbench.methods.insightface.crops import five_points
from fgbench.methods.protocol import FacePosition, FacePredictions, Floats, PredictedImages
from fgbench.methods.protocol.graph import Graph
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

KIND = "backbone"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BackboneNetwork(OfSingleFaces):
    """A frozen network with its head; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        network: The network, with its input.
        head: Its classifier.
        margin: Margin of wider faces at each side, as a share of the stored face's.
        trained: Weights of the run.
        device: Device of the network.
        labels: The classes, in the order of the probabilities.
    """

    network: Prepared
    head: Head
    margin: float
    trained: Trained
    device: torch.device
    labels: LabelSet

    @property
    def grey(self) -> bool:
        """Whether its faces are grey, as those that it was trained on."""
        return self.network.grey

    @property
    def crop(self) -> str:
        """Crop of the face that it takes."""
        return self.network.taken.crop

    @property
    def features(self) -> tuple[str, ...]:
        """The stage of the wider faces, where crops are cut from them."""
        return () if self.crop == "stored" else ("wide_faces",)

    @property
    def needs_landmarks(self) -> bool:
        """Whether its crop is cut from the picture by landmarks."""
        return self.crop != "stored"

    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.
            positions: Position of each in its picture, with landmarks, where crops are cut from it.

        Raises:
            ValueError: If faces have another shape or type, or a position or its landmarks are missing.
        """
        check_faces(faces)
        crops = [faces[row] for row in range(len(faces))]
        if self.needs_landmarks:
            if len(positions) != len(faces):
                raise ValueError(f"{len(positions)} positions of {len(faces)} faces, expected one of each")
            crops = [self.cut(position) for position in positions]
        return FacePredictions.of_classes(self.probabilities(crops), self.labels)

    def cut(self, position: FacePosition) -> Pixels:
        """Cut the crop (S, S, 3) uint8 RGB of a face from its picture.

        Raises:
            ValueError: If the face has no landmarks.
        """
        if position.landmarks is None:
            raise ValueError("a face without landmarks, expected (68, 2) or (5, 2)")
        margin_px = round(self.margin * FACE_PX)
        shift = np.array([[1.0, 0.0, margin_px], [0.0, 1.0, margin_px]])
        transform = compose(position.transform, shift)
        shown: Pixels = cut_chip(position.frame, transform, size=FACE_PX + 2 * margin_px)
        if self.crop == "wide":
            return shown
        return arcface_crop(shown, apply_transform(transform, five_points(position.landmarks)))

    @torch.no_grad()
    def probabilities(self, crops: Sequence[Pixels]) -> Floats:
        """Return probabilities (N, K) float32 of crops (S, S, 3) uint8 RGB."""
        fine = [np.empty((0, len(self.labels.labels)), np.float32)]
        for begin in range(0, len(crops), self.network.batch):
            part = np.stack(crops[begin : begin + self.network.batch]).transpose(0, 3, 1, 2)
            prepared = self.network.inputs(torch.from_numpy(np.ascontiguousarray(part)))
            features = self.network.frozen.runs.features(prepared)
            fine.append(self.head.probabilities(features).numpy())
        return np.concatenate(fine)

    def check_data(self, context: TrainingContext) -> list[str]:
        """Refuse faces of other geometry where they are taken as stored; wider faces hold any crop."""
        return refuse_other_faces(self.trained, context) if self.crop == "stored" else []

    def predict(self, context: TrainingContext, samples: Sequence[Sample]) -> PredictedImages:
        """See :class:`fgbench.methods.protocol.ImageNetwork`; features are kept in ``cache/features/``, as in
        training, except those of a network that was trained on."""
        features = torch.from_numpy(features_of(self.network, context, samples))
        return PredictedImages(
            probabilities=self.head.probabilities(features).numpy(),
            details={"kind": "image", "crops": self.crop},
        )

    def graph(self) -> Graph:
        """See :func:`fgbench.methods.backbone.exported.graph_of`."""
        return graph_of(self.network, self.head, self.labels, self.trained, self.probabilities)


def open_trained(trained: Trained, device: torch.device) -> BackboneNetwork:
    """Build the network of trained weights, with the user's file or folder that it was trained on.

    Raises:
        FgbenchError: If the user's file or folder cannot be opened.
        ManifestError: If weights are of another kind or for other classes, do not fit, or the user's file or
            folder is not there or is another.
    """
    trained.require(KIND, purpose="(a head on a frozen network)")
    labels, origin = labels_of(trained), str(trained.path)
    about, taken, head_about = read_about(trained.metadata, origin=origin)
    head = read_head(head_about, trained.state, n_classes=len(labels.labels), origin=origin)
    frozen = restored(
        reopen(trained, about.model_dump(), device), trained.metadata, trained.state, origin=origin
    )
    grey = bool((trained.metadata.get(FACE_ORIGIN) or {}).get("grey"))
    return BackboneNetwork(
        network=Prepared(frozen=frozen, taken=read_taken(taken.model_dump()), batch=about.batch, grey=grey),
        head=head,
        margin=about.wide_margin,
        trained=trained,
        device=device,
        labels=labels,
    )
