"""A frozen network with its classifier of clips, ready for inference: clips in, classes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench.config.video_backbones import PiecesConfig, PooledAttentionConfig
from fgbench.errors import ManifestError
from fgbench.methods._networks.face_agreement import refuse_other_faces
from fgbench.methods._networks.weights_labels import labels_of
from fgbench.methods.backbone.kept_features import Prepared
from fgbench.methods.backbone.opening import reopen
from fgbench.methods.backbone.taken import read_taken
from fgbench.methods.backbone.trained_head import HeadAbout, InputAbout, NetworkAbout, read_head
from fgbench.methods.protocol import Task
from fgbench.methods.protocol.graph import Graph
from fgbench.methods.video_backbone.attention import attention_of
from fgbench.methods.video_backbone.classifiers import SPATIAL, ClipClassifier
from fgbench.methods.video_backbone.exported import clip_graph
from fgbench.methods.video_backbone.single_faces import SingleFaces
from fgbench.methods.video_backbone.workfolder_clips import ClipsOfWorkFolder, frames_of_clips
from fgbench.models.weights import check_fit, load_into
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.labels import LabelSet
from fgbench.runs.weights import Trained
from fgbench.training.context import TrainingContext

KIND = "video-backbone"
"""Kind of the weights, see :mod:`fgbench.methods.protocol`."""

ATTENTION = "attention."
"""Beginning of the names of the attention's tensors in weights."""


class _Attention(PooledAttentionConfig):
    n_in: Annotated[int, Field(ge=1, le=1 << 20)]


class _Pieces(PiecesConfig):
    window: Annotated[int, Field(ge=0, le=4096)]


class _About(BaseModel):
    model_config = ConfigDict(extra="ignore")

    backbone: NetworkAbout
    input: InputAbout
    pieces: _Pieces
    head: HeadAbout | None
    attention: _Attention | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VideoBackboneNetwork:
    """A frozen network with its classifier of clips; see :class:`fgbench.methods.protocol.ClipNetwork`.

    Attributes:
        network: The network, with its input.
        pieces: Pieces of a clip.
        window: Frames that it takes at once; 0: a network of pictures.
        classifier: The classifier.
        trained: Weights of the run.
        device: Device of the network.
        labels: The classes, in the order of the probabilities.
    """

    network: Prepared
    pieces: PiecesConfig
    window: int
    classifier: ClipClassifier
    trained: Trained
    device: torch.device
    labels: LabelSet

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
        """Empty: it reads faces alone."""
        return ()

    @property
    def streams(self) -> tuple[str, ...]:
        """The one stream."""
        return (SPATIAL,)

    @property
    def fusion_weight(self) -> float:
        """1: there is nothing to weigh."""
        return 1.0

    @property
    def details(self) -> Mapping[str, Any]:
        """Its stream."""
        return {"kind": "video", "streams": [SPATIAL], "crops": self.network.taken.crop}

    @property
    def faces(self) -> SingleFaces:
        """The network on clips of one frame, where it is one of pictures."""
        return SingleFaces(clips=self)

    def check_data(self, context: TrainingContext) -> list[str]:
        """Refuse faces of other geometry."""
        return refuse_other_faces(self.trained, context)

    def reader(self, context: TrainingContext) -> ClipsOfWorkFolder:
        """See :class:`fgbench.methods.protocol.ClipNetwork`."""
        return ClipsOfWorkFolder(network=self, context=context, frames=frames_of_clips(context.manifests))

    def graph(self) -> Graph:
        """See :func:`fgbench.methods.video_backbone.exported.clip_graph`."""
        return clip_graph(
            self.network, self.pieces, self.classifier, self.labels, self.trained, window=self.window
        )


def open_trained(trained: Trained, device: torch.device) -> VideoBackboneNetwork:
    """Build the network of trained weights, with the user's file or folder that it was trained on.

    Raises:
        FgbenchError: If the user's file or folder cannot be opened.
        ManifestError: If weights are of another kind or for other classes, do not fit, or the user's file or
            folder is not there or is another.
    """
    trained.require(KIND, purpose="(a classifier of clips on a frozen network)")
    labels, origin = labels_of(trained), str(trained.path)
    try:
        about = _About.model_validate(dict(trained.metadata))
    except (ValidationError, RecursionError) as error:
        raise ManifestError(
            f"the weights of {origin} do not tell of their network as fgbench does",
            "give weights that fgbench wrote, or run the baseline anew",
        ) from error
    classifier = _classifier(about, trained, len(labels.labels), device, origin=origin)
    frozen = reopen(trained, about.backbone.model_dump(), device)
    grey = bool((trained.metadata.get(FACE_ORIGIN) or {}).get("grey"))
    return VideoBackboneNetwork(
        network=Prepared(
            frozen=frozen, taken=read_taken(about.input.model_dump()), batch=about.backbone.batch, grey=grey
        ),
        pieces=PiecesConfig(most=about.pieces.most, stride=about.pieces.stride),
        window=about.pieces.window,
        classifier=classifier,
        trained=trained,
        device=device,
        labels=labels,
    )


def _classifier(
    about: _About, trained: Trained, n_classes: int, device: torch.device, *, origin: str
) -> ClipClassifier:
    if (about.head is None) == (about.attention is None):
        raise ManifestError(
            f"the weights of {origin} tell of {'neither' if about.head is None else 'both'} head and "
            "attention, expected one",
            "give weights that fgbench wrote, or run the baseline anew",
        )
    if about.head is not None:
        head = read_head(about.head, trained.state, n_classes=n_classes, origin=origin)
        return ClipClassifier(head=head, attention=None, device=device)
    told = about.attention
    assert told is not None
    state = {
        name.removeprefix(ATTENTION): value
        for name, value in trained.state.items()
        if name.startswith(ATTENTION)
    }

    def made() -> Any:
        return attention_of(told, n_in=told.n_in, n_classes=n_classes)

    check_fit(made, state, origin=origin)
    model = made()
    load_into(model, state, origin=origin)
    return ClipClassifier(head=None, attention=model.to(device).eval(), device=device)
