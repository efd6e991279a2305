"""A frozen network of pictures with its classifier of clips on single faces: each is a clip of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from fgbench.methods._networks.single_faces import OfClipsOfOneFrame, face_tensor
from fgbench.methods.protocol import FacePosition, FacePredictions
from fgbench.methods.protocol.graph import Graph

if TYPE_CHECKING:
    from fgbench.methods.video_backbone.opened import VideoBackboneNetwork


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingleFaces(OfClipsOfOneFrame):
    """A network of pictures on single faces; see :class:`fgbench.methods.protocol.FaceNetwork`.

    Attributes:
        clips: The network.
    """

    clips: VideoBackboneNetwork

    @property
    def _of_clips(self) -> VideoBackboneNetwork:
        return self.clips

    @property
    def grey(self) -> bool:
        """Whether its faces are grey, as those that it was trained on."""
        return self.clips.network.grey

    @property
    def takes_single_faces(self) -> bool:
        """Whether the frozen network is one of pictures."""
        return not self.clips.window

    def predict_faces(
        self, faces: npt.NDArray[np.uint8], positions: Sequence[FacePosition] = ()
    ) -> FacePredictions:
        """Classify faces (N, 224, 224, 3) uint8 RGB, each as a clip of one frame; ``positions`` is ignored.

        Raises:
            ValueError: If faces have another shape or type, or the network is one of videos.
        """
        if not self.takes_single_faces:
            raise ValueError(f"{self.trained.name} is on a network of videos, which takes no single faces")
        crops, network = face_tensor(faces), self.clips.network
        fine = [np.empty((0, len(self.classes)), np.float32)]
        with torch.no_grad():
            for begin in range(0, len(crops), network.batch):
                prepared = network.inputs(crops[begin : begin + network.batch])
                fine.append(self.clips.classifier.of_single(network.frozen.runs.features(prepared)))
        return FacePredictions.of_classes(np.concatenate(fine), self.clips.labels)

    def graph(self) -> Graph:
        """Return the graph of the whole network."""
        return self.clips.graph()
