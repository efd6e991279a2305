"""A trained network of InsightFace, ready for inference: crops by five points in, classes out.

Crops of new faces are cut as those that it was trained on: from a wider face of the picture
(``crops: wide``), or from the stored one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from fgbench.config import WideFacesConfig
from fgbench.errors import ManifestError
from fgbench.faces.chips import cut_chip
from fgbench.faces.geometry import apply_transform, compose
from fgbench.inputs.crops import without_colour
from fgbench.inputs.manifest_pictures import FACE_PX, Pixels
from fgbench.inputs.resident import Resident
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.single_faces import OfSingleFaces, check_faces
from fgbench.methods._networks.transfer_details import settings_of
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.insightface.crops import (
    CROP_PX,
    TEMPLATE,
    crop_transform,
    five_points,
    load_crops,
    warp_crop,
)
from fgbench.methods.insightface.features import keep_features
from fgbench.methods.insightface.task import GREY, FaceSet, predict_classes, see_crops, see_features
from fgbench.methods.insightface.wide_crops import load_wide_crops
from fgbench.methods.protocol import FacePosition, FacePredictions, Floats, PredictedImages
from fgbench.methods.protocol.graph import Graph, Normalised, Pictures, origin_of
from fgbench.models.iresnet import FaceHead, IResNet, IResNetClassifier
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

KIND = "insightface"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""

CROPS = "crops"
"""Name of the input of the exported network."""

OUTPUTS = ("probabilities", "basic_probabilities")
"""Names of its outputs."""

_BACKBONE = "backbone."
_LAYERS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecognitionNetwork(OfSingleFaces):
    """A trained network of InsightFace; see :class:`fgbench.methods.protocol.ImageNetwork`.

    Attributes:
        model: In evaluation mode, on the device.
        crops: Source of its crops: ``"wide"`` or ``"stored"`` faces.
        margin: Margin of ``"wide"`` crops around a stored face at each side, as a share of its side.
        is_frozen: Whether its head was trained on kept features, which are rounded to float16.
        grey: Whether its faces are grey, as those that it was trained on.
        trained: Its weights.
        device: Device of the model.
        labels: The classes, in the order of the probabilities.
    """

    model: IResNetClassifier
    crops: Literal["wide", "stored"]
    margin: float
    is_frozen: bool
    grey: bool
    trained: Trained
    device: torch.device
    labels: LabelSet

    @property
    def features(self) -> tuple[str, ...]:
        """The stage of the wider faces, where crops are cut from them."""
        return ("wide_faces",) if self.crops == "wide" else ()

    @property
    def needs_landmarks(self) -> bool:
        """True: crops are cut by landmarks."""
        return True

    @torch.inference_mode()
    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces.

        Args:
            faces: (N, 224, 224, 3) uint8 RGB, aligned.
            positions: Position of each in its picture, N of them, with landmarks.

        Raises:
            ValueError: If faces have another shape or type, or a position or its landmarks are missing.
        """
        check_faces(faces)
        if len(positions) != len(faces):
            raise ValueError(f"{len(positions)} positions of {len(faces)} faces, expected one of each")
        crops = np.stack([self.crop(face, one) for face, one in zip(faces, positions, strict=True)])
        return FacePredictions.of_classes(self._probabilities(crops.transpose(0, 3, 1, 2)), self.labels)

    def crop(self, face: Pixels, position: FacePosition) -> Pixels:
        """Cut the crop (112, 112, 3) uint8 RGB of a stored face, or of its picture where crops are wide.

        Raises:
            ValueError: If the face has no landmarks.
        """
        if position.landmarks is None:
            raise ValueError("a face without landmarks, expected (68, 2) or (5, 2)")
        shown, transform = face, position.transform
        if self.crops == "wide":
            margin_px = round(self.margin * FACE_PX)
            shift = np.array([[1.0, 0.0, margin_px], [0.0, 1.0, margin_px]])
            transform = compose(position.transform, shift)
            shown = cut_chip(position.frame, transform, size=FACE_PX + 2 * margin_px)
        points = five_points(position.landmarks)
        return warp_crop(shown, crop_transform(apply_transform(transform, points)))

    @torch.inference_mode()
    def _probabilities(self, crops_N3HW: npt.NDArray[np.uint8]) -> Floats:
        """Probabilities (N, K) of crops (N, 3, 112, 112) uint8 RGB."""
        crops = torch.from_numpy(np.ascontiguousarray(crops_N3HW)).to(self.device)
        plain = torch.zeros(len(crops), dtype=torch.bool, device=self.device)
        seen = see_crops(without_colour(crops) if self.grey else crops, plain)
        fine: Floats = _classified(self.model, seen, is_rounded=self.is_frozen).cpu().numpy()
        return fine

    def check_data(self, context: TrainingContext) -> list[str]:
        """Refuse faces of other geometry where crops are cut from them; wider faces hold any crop."""
        return refuse_other_faces(self.trained, context) if self.crops == "stored" else []

    def predict(self, context: TrainingContext, samples: Sequence[Sample]) -> PredictedImages:
        """See :class:`fgbench.methods.protocol.ImageNetwork`; a frozen backbone's features are kept in
        ``cache/features/``, as in training."""
        ids = [sample.sample_id for sample in samples]
        load = load_wide_crops if self.crops == "wide" else load_crops
        crops = load(
            context.manifests, ids, device=context.device, jobs=context.jobs, progress=context.progress
        )
        none = torch.empty(0, dtype=torch.int64, device=context.device)
        faces = FaceSet(sample_ids=ids, labels=none, inputs=Resident(crops))
        if self.is_frozen:
            kept = keep_features(self.model.backbone, faces, context, flip=False)
            probabilities = predict_classes(self.model.head, see_features, kept.inputs)
        else:
            probabilities = predict_classes(self.model, see_crops, faces.inputs)
        return PredictedImages(probabilities=probabilities, details={"kind": "image", "crops": self.crops})

    def graph(self) -> Graph:
        """Input ``crops``: uint8 RGB (N, 3, 112, 112), transformed so that eyes, nose and corners of the
        mouth lie at the metadata's ``points`` (px; similarity by least squares); N is free. Outputs:
        ``probabilities`` (N, K), ``basic_probabilities`` (N, M): sums over the classes. The normalisation is
        part of the graph."""

        def predict(pictures: Pictures) -> Sequence[Floats]:
            predictions = FacePredictions.of_classes(self._probabilities(pictures[CROPS]), self.labels)
            return predictions.fine, predictions.basic

        metadata = {
            **origin_of(self.trained, "uint8 RGB crops (N, 3, 112, 112), aligned by five points"),
            "classes": json.dumps(list(self.classes)),
            "basic": json.dumps(list(self.upper)),
            "basic_source": "sums over classes",
            "points": json.dumps(TEMPLATE),
        }
        return Graph(
            module=_Whole(self).eval(),
            inputs={CROPS: (3, CROP_PX, CROP_PX)},
            rows={CROPS: CROPS},
            outputs=OUTPUTS,
            metadata=metadata,
            predict=predict,
        )


class _Whole(nn.Module):
    """Module from crops (N, 3, 112, 112) uint8 to probabilities of both levels."""

    def __init__(self, network: RecognitionNetwork) -> None:
        super().__init__()
        self.network = network.model
        self._is_rounded = network.is_frozen
        self._is_grey = network.grey
        self.normalised = Normalised(GREY, GREY)
        self.register_buffer("upper", torch.from_numpy(network.labels.upper_matrix()))

    def forward(self, crops: Tensor) -> tuple[Tensor, Tensor]:
        shown = without_colour(crops) if self._is_grey else crops
        fine = _classified(self.network, self.normalised(shown), is_rounded=self._is_rounded)
        return fine, fine @ self.upper


def _classified(model: IResNetClassifier, seen_B3HW: Tensor, *, is_rounded: bool) -> Tensor:
    """Probabilities (B, K) float32 of normalised crops."""
    features = model.backbone(seen_B3HW)
    logits: Tensor = model.head(features.half().float() if is_rounded else features)
    return logits.float().softmax(1)


def open_trained(trained: Trained, device: torch.device) -> RecognitionNetwork:
    """Build the network of trained weights; its sizes follow from their tensors.

    Weights of earlier versions do not state the source of their crops; the settings of their run do.

    Raises:
        ManifestError: If they are of another kind, for other classes, or do not fit a network.
    """
    trained.require(KIND, purpose="(a network of InsightFace)")
    origin, labels = str(trained.path), labels_of(trained)
    settings: Mapping[str, Any] = {**settings_of(trained), **trained.metadata}
    blocks, widths = _sizes(trained.state, origin)

    def made() -> IResNetClassifier:
        head = FaceHead(
            len(labels.labels),
            kind=settings.get("head", "softmax"),
            scale=settings.get("arcface_scale", 64.0),
        )
        return IResNetClassifier(IResNet(blocks, widths=widths), head)

    check_fit(made, trained.state, origin=origin)
    model = made()
    load_into(model, trained.state, origin=origin)
    model.to(device=device, memory_format=torch.channels_last)  # as in training, to the last digit
    return RecognitionNetwork(
        model=model.eval(),
        crops=settings.get("crops", "wide"),
        margin=settings.get("wide_margin", WideFacesConfig().margin),
        is_frozen=settings.get("freeze_backbone", False),
        grey=bool((trained.metadata.get(FACE_ORIGIN) or {}).get("grey")),
        trained=trained,
        device=device,
        labels=labels,
    )


def _sizes(state: Mapping[str, Tensor], origin: str) -> tuple[Any, Any]:
    """Return the blocks and channels of the four layers of a backbone."""
    numbers: list[set[int]] = [set() for _ in range(_LAYERS)]
    for name in state:
        if match := re.match(rf"{re.escape(_BACKBONE)}layer([1-{_LAYERS}])\.(\d{{1,4}})\.", name):
            numbers[int(match[1]) - 1].add(int(match[2]))
    widths = []
    for layer in range(_LAYERS):
        first = state.get(f"{_BACKBONE}layer{layer + 1}.0.conv1.weight")
        if first is None or not first.ndim:
            raise ManifestError(
                f"the weights of {origin} lack layer {layer + 1} of InsightFace's network",
                "take weights that fgbench wrote, or train the network anew",
            )
        widths.append(int(first.shape[0]))
    return tuple(map(len, numbers)), tuple(widths)
