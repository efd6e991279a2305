"""A trained clip network, ready for inference: built from its weights, with its image model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from pydantic import ValidationError
from torch import Tensor

from fgbench.config import TrainClipConfig
from fgbench.errors import ManifestError
from fgbench.inputs.clip_set import ClipFrames, clip_frames
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.single_faces import OfStoredFaces, check_faces
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.msau.opened import ImageNetwork, open_network
from fgbench.methods.protocol import FaceNetwork, FacePosition, FacePredictions, Floats, Task
from fgbench.methods.protocol.graph import Graph
from fgbench.methods.tmsau.data import OpenClips, open_clips
from fgbench.methods.tmsau.flow_origin import refuse_other_flow
from fgbench.methods.tmsau.graph import clip_graph
from fgbench.methods.tmsau.inputs import ClipViews, Scale, see_pictures
from fgbench.methods.tmsau.network import build, stream_pictures
from fgbench.methods.tmsau.outcome import write_clip_outcome
from fgbench.methods.tmsau.task import PredictedClips, predict_clips
from fgbench.models.tmsau import TmsauNet
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.samples import Sample
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

KIND = "video"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""

IMAGE = "image."
"""Prefix of the image model's tensors among the weights."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipNetwork:
    """A trained clip network; see :class:`fgbench.methods.protocol.ClipNetwork`.

    Attributes:
        model: In evaluation mode, on the device.
        config: The part of the recipe that concerns the network.
        scales: Scale of bytes by stream of pictures.
        image: The image model that describes its frames, which also classifies single faces
            (paper section IV-B: shared weights, without attention and temporal stream);
            ``None`` if it has none.
        trained: Its weights.
        device: Device of the model.
        labels: Its classes.
        grey: Whether its faces and its image model's are grey, as those that it was trained on.
    """

    model: TmsauNet
    config: TrainClipConfig
    scales: Mapping[str, Scale]
    image: ImageNetwork | None
    trained: Trained
    device: torch.device
    labels: LabelSet
    grey: bool = False

    @property
    def task(self) -> Task:
        """``"clips"``."""
        return "clips"

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.labels.labels

    @property
    def features(self) -> tuple[str, ...]:
        """Optical flow, if the temporal stream takes it."""
        return ("optical_flow",) if self.config.temporal == "flow" else ()

    @property
    def streams(self) -> tuple[str, ...]:
        """Names of the streams."""
        return self.config.streams

    @property
    def fusion_weight(self) -> float:
        """Weight of the spatial stream, 0 to 1."""
        return self.config.fusion_weight

    @property
    def details(self) -> Mapping[str, Any]:
        """Its streams."""
        return {
            "kind": "video",
            "streams": list(self.config.streams),
            "spatial": self.config.spatial,
            "temporal": self.config.temporal,
        }

    @property
    def faces(self) -> FaceNetwork:
        """Its image model, or else its spatial stream on single frames."""
        return self.image or SingleFrames(clips=self)

    def check_data(self, context: TrainingContext) -> list[str]:
        """See :class:`fgbench.methods.protocol.ClipNetwork`."""
        notes = refuse_other_faces(self.trained, context)
        if self.config.temporal == "flow":
            refuse_other_flow(self.trained, context)
        return notes

    def reader(self, context: TrainingContext) -> WorkfolderClips:
        """See :class:`fgbench.methods.protocol.ClipNetwork`."""
        frames = clip_frames(context.manifests, flow=self.config.temporal == "flow")
        return WorkfolderClips(network=self, context=context, frames=frames)

    def graph(self) -> Graph:
        """See :func:`fgbench.methods.tmsau.graph.clip_graph`."""
        return clip_graph(
            self.model,
            self.config,
            self.scales,
            None if self.image is None else (self.image.model, self.image.preprocessing),
            self.labels,
            self.trained,
            grey=self.grey,
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PredictedHere:
    """Predictions of clips of a work folder; see :class:`fgbench.methods.protocol.PredictedClips`.

    Attributes:
        opened: The clips.
        predicted: Their predictions.
    """

    opened: OpenClips
    predicted: PredictedClips

    @property
    def streams(self) -> Mapping[str, Floats]:
        """By stream: (N, K) probabilities."""
        return self.predicted.streams

    def fused(self, weight: float) -> Floats:
        """Fused (N, K) probabilities of the streams."""
        return self.predicted.fused(weight)

    def fused_basic(self, weight: float) -> Floats:
        """Fused (N, M) probabilities of the upper classes by the streams."""
        return self.predicted.fused_basic(weight)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WorkfolderClips:
    """The clips of a work folder; see :class:`fgbench.methods.protocol.ClipReader`.

    Attributes:
        network: The network.
        context: Context of the run.
        frames: The frames of its clips.
    """

    network: ClipNetwork
    context: TrainingContext
    frames: ClipFrames

    @property
    def clip_ids(self) -> Collection[str]:
        """Ids of the clips with at least one usable face."""
        return self.frames.clip_ids

    def predict(self, samples: Sequence[Sample]) -> PredictedHere:
        """Predict clips of :attr:`clip_ids`, in their order."""
        network, context = self.network, self.context
        clips = self.frames.clip_set(samples, context.labels, context.device)
        opened, _ = open_clips(
            network.config, context, clips, network.image, network.scales, trained_on=False, grey=network.grey
        )
        return PredictedHere(opened=opened, predicted=predict_clips(network.model, opened))

    def write(self, folder: Path, parts: Mapping[str, PredictedHere]) -> None:
        """Write ``streams.parquet``, and ``attention.parquet`` where the network attends."""
        outcomes = {part: (one.opened, one.predicted) for part, one in parts.items()}
        write_clip_outcome(folder, outcomes, self.network.classes)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingleFrames(OfStoredFaces):
    """A clip network without image model on single faces: its spatial stream, if it takes pictures, on one
    frame. See :class:`fgbench.methods.protocol.FaceNetwork`.

    Attributes:
        clips: The network.
    """

    clips: ClipNetwork

    @property
    def task(self) -> Task:
        """``"clips"``."""
        return "clips"

    @property
    def trained(self) -> Trained:
        """Its weights."""
        return self.clips.trained

    @property
    def device(self) -> torch.device:
        """Its device."""
        return self.clips.device

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.clips.classes

    @property
    def upper(self) -> tuple[str, ...]:
        """Names of the upper classes; empty for a label set without."""
        return self.clips.labels.upper

    @property
    def grey(self) -> bool:
        """Whether its faces are grey, as those that it was trained on."""
        return self.clips.grey

    @property
    def takes_single_faces(self) -> bool:
        """Whether there is a stream on single frames."""
        return self.clips.config.spatial == "rgb"

    @torch.inference_mode()
    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces (N, 224, 224, 3) uint8 RGB, each as a clip of one frame; ``positions`` is ignored.

        Raises:
            ValueError: If faces have another shape or type, or the network has no stream on frames.
        """
        config, labels = self.clips.config, self.clips.labels
        wanted = stream_pictures(config, "spatial")
        if wanted is None or not self.takes_single_faces:
            raise ValueError(f"{self.trained.name} has no stream on single frames")
        side = (wanted.side_px, wanted.side_px)
        check_faces(faces)
        frames = [cv2.resize(face, side, interpolation=cv2.INTER_AREA) for face in faces]
        stored = torch.from_numpy(np.stack(frames)).to(self.device).permute(0, 3, 1, 2)[:, None, None]
        steps = see_pictures(
            stored,
            ClipViews.plain(len(frames), self.device),
            "rgb",
            enlarge_to_px=round(wanted.side_px * config.data.enlarge),
            scale=self.clips.scales["spatial"],
            layout=wanted.layout,
            grey=self.clips.grey,
        )
        mask = torch.ones((len(frames), 1), dtype=torch.bool, device=self.device)
        outputs = self.clips.model({"spatial": (steps, mask)})["spatial"]
        fine, basic = outputs.probabilities().cpu().numpy(), outputs.basic_probabilities().cpu().numpy()
        predictions = FacePredictions.of_classes(fine, labels)
        return replace(predictions, basic_head=basic) if basic.shape[1] else predictions

    def graph(self) -> Graph:
        """Return the graph of the whole network."""
        return self.clips.graph()


def open_clip_network(trained: Trained, device: torch.device) -> ClipNetwork:
    """Build the network of trained weights.

    Raises:
        ManifestError: If they are of another kind, for other classes, or do not fit the network that they
            describe.
    """
    origin = str(trained.path)
    trained.require("video", purpose="(a network of clips)")
    labels = labels_of(trained)
    try:
        config = TrainClipConfig.model_validate(trained.metadata.get("network"))
        scales = {
            str(name): Scale(mean=tuple(map(float, scale["mean"])), std=tuple(map(float, scale["std"])))
            for name, scale in trained.metadata["scales"].items()
        }
    except (ValidationError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of a network that this fgbench knows ({error})",
            "update fgbench, or train the network anew",
        ) from error
    image = _image(trained, device)
    if (image is None) != (config.spatial != "attention"):
        raise ManifestError(
            f"the weights of {origin} {'lack' if image is None else 'have'} an image model, their network "
            f"{'takes' if image is None else 'does not take'} one",
            "train the network anew",
        )
    own = {name: value for name, value in trained.state.items() if not name.startswith(IMAGE)}
    check_fit(lambda: build(config, image, labels), own, origin=origin)
    model = build(config, image, labels)
    load_into(model, own, origin=origin)
    return ClipNetwork(
        model=model.to(device).eval(),
        config=config,
        scales=scales,
        image=image,
        trained=trained,
        device=device,
        labels=labels,
        grey=_saw_grey(trained),
    )


open_trained = open_clip_network  # for fgbench.methods.protocol.kinds


def with_image_model(
    state: Mapping[str, Tensor], network: ImageNetwork | None
) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    """Return the tensors of a clip network and of its image model, and the metadata of the latter."""
    if network is None:
        return dict(state), None
    image = {f"{IMAGE}{name}": value for name, value in network.model.state_dict().items()}
    return {**state, **image}, dict(network.trained.metadata)


def _image(trained: Trained, device: torch.device) -> ImageNetwork | None:
    metadata = trained.metadata.get("image")
    if metadata is None:
        return None
    state = {
        name.removeprefix(IMAGE): value for name, value in trained.state.items() if name.startswith(IMAGE)
    }
    inner = Trained(path=trained.path, state=state, metadata=metadata, digest=trained.digest)
    network = open_network(inner, device)
    if not _saw_grey(trained):
        return network
    return replace(network, preprocessing=replace(network.preprocessing, grey=True))


def _saw_grey(trained: Trained) -> bool:
    """Return whether the training clips were grey."""
    return bool((trained.metadata.get(FACE_ORIGIN) or {}).get("grey"))
