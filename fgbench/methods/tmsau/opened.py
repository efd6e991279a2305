"""A trained clip network, ready for inference: built from its weights, with its image model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from fgbench.config import TrainClipConfig
from fgbench.errors import ManifestError
from fgbench.inputs.clip_set import clip_frames
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.msau.opened import ImageNetwork, open_network
from fgbench.methods.protocol import FaceNetwork, Task
from fgbench.methods.protocol.graph import Graph
from fgbench.methods.tmsau.flow_origin import refuse_other_flow
from fgbench.methods.tmsau.graph import clip_graph
from fgbench.methods.tmsau.inputs import Scale
from fgbench.methods.tmsau.network import build
from fgbench.methods.tmsau.single_frames import SingleFrames
from fgbench.methods.tmsau.workfolder_clips import WorkfolderClips
from fgbench.models.tmsau import TmsauNet
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
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
