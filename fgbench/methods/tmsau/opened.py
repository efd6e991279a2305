"""A trained network of clips, ready to be asked: built again from its weights, with its image model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from fgbench.config import TrainVideoConfig
from fgbench.errors import ManifestError
from fgbench.methods.msau.opened import ImageNetwork, labels_of, open_network
from fgbench.methods.tmsau.inputs import Scale
from fgbench.methods.tmsau.network import build
from fgbench.models.tmsau import TmsauNet
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained

IMAGE = "image."
"""Prefix of the image model's tensors among the weights."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipNetwork:
    """A trained network of clips.

    Attributes:
        model: In evaluation mode, on the device.
        config: The recipe, as far as the network is concerned.
        scales: By stream of pictures: from bytes to numbers.
        image: The image model that describes its frames, which tells the class of single faces as well
            (paper section IV-B: the weights are shared, attention and temporal stream are plugged out);
            ``None`` if it has none.
        trained: Where it is from.
        device: Where it computes.
        labels: Its classes.
        grey: Whether it and its image model are shown faces without colour, as those that it was trained on.
    """

    model: TmsauNet
    config: TrainVideoConfig
    scales: Mapping[str, Scale]
    image: ImageNetwork | None
    trained: Trained
    device: torch.device
    labels: LabelSet
    grey: bool = False

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self.labels.labels


def open_clip_network(trained: Trained, device: torch.device) -> ClipNetwork:
    """Build the network that weights are of.

    Raises:
        ManifestError: If they are of another kind, for other classes, or do not fit the network that they
            tell of.
    """
    origin = str(trained.path)
    trained.require("video", purpose="(a network of clips)")
    labels = labels_of(trained)
    try:
        config = TrainVideoConfig.model_validate(trained.metadata.get("network"))
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


def with_image_model(
    state: Mapping[str, Tensor], network: ImageNetwork | None
) -> tuple[dict[str, Tensor], Mapping[str, Any] | None]:
    """Tensors of a network of clips together with its image model's, and the metadata of the latter."""
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
    """Whether the clips that were trained on have no colour."""
    return bool((trained.metadata.get(FACE_ORIGIN) or {}).get("grey"))
