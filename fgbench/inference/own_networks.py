"""A trained network with what it needs for users' own files: how their faces are found, what is
decoded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import torch

from fgbench.config import FacesConfig, IngestConfig, OpticalFlowConfig
from fgbench.config.faces import DLIB_PADDING
from fgbench.faces.still_picture import ImageFrame
from fgbench.inference.clips import InputSettings, predict_clip_file
from fgbench.inference.files import FilePrediction
from fgbench.inference.pictures import (
    is_image,
    predict_everyone,
    predict_everyone_in,
    predict_file,
    predict_picture,
)
from fgbench.inputs.manifest_pictures import FACE_PX
from fgbench.media.video import Limits
from fgbench.methods.protocol import ClipNetwork, FaceNetwork
from fgbench.methods.protocol.kinds import open_trained
from fgbench.methods.tmsau.flow_origin import FLOW_ORIGIN
from fgbench.preparation.prepare import saved
from fgbench.runs.face_origin import FACE_ORIGIN
from fgbench.runs.weights import Trained
from fgbench.workfolders.folder import RUN_FILE

_PIXELS = Path("picture")
"""Stands for the file of a picture that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedNetwork:
    """A network, and how users' own files are made into what it was trained on.

    Attributes:
        network: Tells of single faces; of a network of clips, what that has for them.
        clips: The network of clips; ``None`` if it is none.
        settings: Settings of faces, flow and decoding.
    """

    network: FaceNetwork
    clips: ClipNetwork | None
    settings: InputSettings

    def predict(self, path: Path, *, frames_to: Path | None = None) -> FilePrediction:
        """Return the prediction of a picture or video, as of :func:`.pictures.predict_file`."""
        if self.clips is not None:
            return predict_clip_file(path, self.clips, self.settings, frames_to=frames_to)
        return predict_file(
            path, self.network, self.settings.faces, frames_to=frames_to, limits=self.settings.limits
        )

    def predict_everyone(self, path: Path, *, frames_to: Path | None = None) -> list[FilePrediction]:
        """Return the prediction of every face of a picture, from the left; of a video as :meth:`predict`."""
        if is_image(path):
            return predict_everyone(path, self.network, self.settings.faces, limits=self.settings.limits)
        return [self.predict(path, frames_to=frames_to)]

    def predict_frame(self, frame: ImageFrame) -> FilePrediction:
        """Return the prediction of the face in pixels."""
        return predict_picture(_PIXELS, frame, self.network, self.settings.faces)

    def predict_everyone_in(self, frame: ImageFrame) -> list[FilePrediction]:
        """Return the prediction of every face in pixels, from the left."""
        return predict_everyone_in(_PIXELS, frame, self.network, self.settings.faces)


def open_own(trained: Trained, device: torch.device) -> OpenedNetwork:
    """Return a trained network, ready for users' own files.

    Raises:
        ManifestError: If the weights are of no network that fgbench has, or do not fit it.
    """
    settings = input_settings(trained)
    opened = open_trained(trained, device)
    if opened.task == "clips":
        clips = cast("ClipNetwork", opened)
        return OpenedNetwork(network=clips.faces, clips=clips, settings=settings)
    return OpenedNetwork(network=cast("FaceNetwork", opened), clips=None, settings=settings)


def input_settings(trained: Trained) -> InputSettings:
    """Return how faces were found and flow was computed for the data that a network was trained on.

    Of weights from elsewhere the defaults, but for the flow where they tell of it.
    """
    faces, flow, ingest = FacesConfig(), OpticalFlowConfig(), IngestConfig()
    if trained.workdir is not None and (trained.workdir / RUN_FILE).is_file():
        prepared, _ = saved(trained.workdir)
        faces, flow, ingest = prepared.faces, prepared.optical_flow, prepared.ingest
    faces = faces.model_copy(update=_geometry(trained, faces))
    if flow_origin := trained.metadata.get(FLOW_ORIGIN):
        flow = OpticalFlowConfig.model_validate(flow_origin)
    return InputSettings(
        faces=faces.model_copy(update={"chip_size": FACE_PX}),
        flow=flow,
        limits=Limits(
            max_picture_px=ingest.max_picture_px,
            max_frame_px=ingest.max_frame_px,
            max_seconds=faces.max_seconds,
        ),
    )


def _geometry(trained: Trained, faces: FacesConfig) -> dict[str, Any]:
    """Return the geometry of the faces that a network was trained on, as its weights tell it.

    Those that do not are of an earlier version, and saw dlib's, the only one that there was: with the padding
    of the recipe of their work folder, unless that was prepared anew with another geometry since.
    """
    if face_origin := trained.metadata.get(FACE_ORIGIN):
        return {key: face_origin[key] for key in ("geometry", "padding")}
    return {} if faces.geometry == "dlib" else {"geometry": "dlib", "padding": DLIB_PADDING}
