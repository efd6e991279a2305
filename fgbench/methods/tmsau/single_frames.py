"""A clip network without image model on single faces: each is a clip of one frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
import torch

from fgbench.methods._networks.single_faces import OfClipsOfOneFrame, check_faces
from fgbench.methods.protocol import FacePosition, FacePredictions
from fgbench.methods.protocol.graph import Graph
from fgbench.methods.tmsau.inputs import ClipViews, see_pictures
from fgbench.methods.tmsau.network import stream_pictures

if TYPE_CHECKING:
    from fgbench.methods.tmsau.opened import ClipNetwork


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SingleFrames(OfClipsOfOneFrame):
    """A clip network without image model on single faces: its spatial stream, if it takes pictures, on one
    frame. See :class:`fgbench.methods.protocol.FaceNetwork`.

    Attributes:
        clips: The network.
    """

    clips: ClipNetwork

    @property
    def _of_clips(self) -> ClipNetwork:
        return self.clips

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
