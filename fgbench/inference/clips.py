"""Predictions of users' videos by a trained clip network.

Faces are detected, aligned and temporarily stored as in a data set, so that predictions equal those of the
same clip in a work folder. Memory does not grow with the length of a video; the temporary folder does, by
about 30 kB per frame.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fgbench import records
from fgbench.callbacks import Progress, ignore
from fgbench.config import FacesConfig, OpticalFlowConfig
from fgbench.faces.observation import Observation
from fgbench.inference.files import NO_PREDICTION, ClassProbabilities, FilePrediction
from fgbench.inference.pictures import predict_file
from fgbench.inputs.manifest_pictures import FLOW
from fgbench.media import video
from fgbench.media.images import encode
from fgbench.methods.protocol import ClipNetwork, upper_sums
from fgbench.preparation.stages.optical_flow import FACE_COLUMNS, flow_fields
from fgbench.runs.samples import Sample
from fgbench.storage import TableWriter, read_rows
from fgbench.training.context import TrainingContext
from fgbench.workfolders.layout import MANIFESTS

_CLIP = "clip"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputSettings:
    """Settings of faces and optical flow of the data that a network was trained on.

    Attributes:
        faces: Section of the recipe; chips have to be 224 px wide.
        flow: Section of the recipe.
        limits: The recipe's limits of decoding.
    """

    faces: FacesConfig
    flow: OpticalFlowConfig
    limits: video.Limits = video.DEFAULT_LIMITS


def predict_clip_file(
    path: Path,
    network: ClipNetwork,
    settings: InputSettings,
    *,
    frames_to: Path | None = None,
    jobs: int = 1,
    progress: Progress = ignore,
) -> FilePrediction:
    """Find the face in a picture or in the frames of a video, and classify it.

    Pictures are classified by :attr:`ClipNetwork.faces`, and so are the table of frames and the portrait of a
    video; videos by the streams. A network that needs movement predicts nothing for pictures, without
    portrait.

    Args:
        path: The file.
        network: The network.
        settings: Settings of faces and flow.
        frames_to: As in :func:`fgbench.inference.pictures.predict_file`, whose errors are raised too.
        jobs: Threads that decode.
        progress: Called as frames are decoded.
    """
    with TemporaryDirectory(prefix="fgbench-") as folder:
        workdir = Path(folder)
        spool = _Spool(workdir / MANIFESTS, settings.faces)
        try:
            prediction = predict_file(
                path,
                network.faces,
                settings.faces,
                frames_to=frames_to,
                on_frame=spool.add,
                limits=settings.limits,
            )
        except BaseException:
            spool.discard()
            raise
        spool.close()
        if prediction.kind != "video" or not prediction.n_faces:
            return prediction
        if "optical_flow" in network.features:
            _write_flow(workdir / MANIFESTS, settings.flow)
        context = TrainingContext(
            workdir=workdir,
            manifest_digest="",
            details={},
            seed=0,
            resume=False,
            force=False,
            jobs=jobs,
            progress=progress,
            labels=network.labels,
            device=network.device,
        )
        probabilities = _ask(network, context)
        if not probabilities.is_finite:
            return replace(
                prediction,
                status=NO_PREDICTION,
                message="the network's numbers for the clip are not finite; train it again",
                probabilities=None,
                portrait=None,
            )
        return replace(prediction, probabilities=probabilities, streams=network.streams)


def _ask(network: ClipNetwork, context: TrainingContext) -> ClassProbabilities:
    # The true class is not known; any name serves.
    sample = Sample(sample_id=_CLIP, clip_id=_CLIP, subject_id=None, label=network.classes[0], part="test")
    predicted = network.reader(context).predict([sample])
    weight = network.fusion_weight
    fine, head = predicted.fused(weight), predicted.fused_basic(weight)
    return ClassProbabilities(
        fine=fine[0],
        basic_sum=upper_sums(fine, network.labels)[0],
        basic_head=head[0] if head.shape[1] else None,
    )


class _Spool:
    """Faces of a video as rows of the table ``faces``."""

    def __init__(self, manifests: Path, faces: FacesConfig) -> None:
        self._faces = faces
        self._writer = TableWriter(manifests / "faces" / "00000.parquet", records.schema("faces"))

    def add(self, index: int, observation: Observation) -> None:
        """Add a frame."""
        row: dict[str, Any] = {
            "clip_id": _CLIP,
            "frame_index": index,
            "role": "video",
            "status": observation.status,
            "track_id": observation.track_id,
        }
        if observation.chip is not None and observation.transform is not None:
            row["transform"] = observation.transform.astype(np.float32).ravel().tolist()
            data = encode(observation.chip, self._faces.format, self._faces.jpeg_quality)
            row["image"] = {"bytes": data, "path": f"{index}"}
        self._writer.add(row)

    def close(self) -> None:
        """Finish the table."""
        self._writer.close()

    def discard(self) -> None:
        """Delete the table."""
        self._writer.discard()


def _write_flow(manifests: Path, config: OpticalFlowConfig) -> None:
    writer = TableWriter(manifests / FLOW / "00000.parquet", records.schema("optical_flow"))
    faces = read_rows(manifests / "faces" / "00000.parquet", FACE_COLUMNS)
    for row in flow_fields(_CLIP, faces, config):
        writer.add(row)
    writer.close()
