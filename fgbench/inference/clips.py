"""Videos of the user's own through a trained network of clips.

Faces are found and aligned as in a data set, and stored for a moment as one stores them: what is said of a
video is what would be said of the same clip in a work folder. Memory does not grow with its length, the
temporary folder does: by about 30 kB per frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from fgbench import records
from fgbench.config import FacesConfig, OpticalFlowConfig
from fgbench.faces.observation import Observation
from fgbench.inference.files import NO_PREDICTION, FilePrediction, Said
from fgbench.inference.pictures import predict_file
from fgbench.inputs.image_set import untold
from fgbench.inputs.manifest_pictures import FLOW
from fgbench.media import video
from fgbench.media.images import encode
from fgbench.methods.protocol import ClipNetwork, upper_sums
from fgbench.preparation.stages.optical_flow import FACE_COLUMNS, flow_fields
from fgbench.runs.context import Progress
from fgbench.runs.samples import Sample
from fgbench.storage import TableWriter, read_rows
from fgbench.training.context import Place

_CLIP = "clip"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How faces were found, and flow computed, for the data that a network was trained on.

    Attributes:
        faces: Section of the recipe; chips have to be 224 px wide.
        flow: Section of the recipe.
        limits: What is decoded at most, by the recipe.
    """

    faces: FacesConfig
    flow: OpticalFlowConfig
    limits: video.Limits = video.DEFAULT_LIMITS


def predict_clip_file(
    path: Path,
    network: ClipNetwork,
    found: Found,
    *,
    frames_to: Path | None = None,
    jobs: int = 1,
    progress: Progress = untold,
) -> FilePrediction:
    """Find the face in a picture or in the frames of a video, and tell its class.

    Of a picture what the network has for single faces alone tells it (:attr:`ClipNetwork.faces`); of a video
    its streams do, and the table of frames and the portrait are that one's. A network that needs movement
    says nothing of pictures, and draws no portrait.

    Args:
        path: The file.
        network: What tells the class.
        found: How faces are found and flow is computed.
        frames_to: As :func:`fgbench.inference.pictures.predict_file`, whose errors these are too.
        jobs: Threads that decode.
        progress: Told of the decoding.
    """
    with TemporaryDirectory(prefix="fgbench-") as folder:
        workdir = Path(folder)
        spool = _Spool(workdir / "manifests", found.faces)
        try:
            seen = predict_file(
                path, network.faces, found.faces, frames_to=frames_to, heed=spool.add, limits=found.limits
            )
        except BaseException:
            spool.discard()
            raise
        spool.close()
        if seen.kind != "video" or not seen.n_faces:
            return seen
        if "optical_flow" in network.features:
            _write_flow(workdir / "manifests", found.flow)
        place = Place(
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
        said = _ask(network, place)
        if not said.is_finite:
            return replace(
                seen,
                status=NO_PREDICTION,
                message="the network's numbers for the clip are not finite; train it again",
                said=None,
                portrait=None,
            )
        return replace(seen, said=said, streams=network.streams)


def _ask(network: ClipNetwork, place: Place) -> Said:
    # What the class is, is not known; any name serves.
    sample = Sample(sample_id=_CLIP, clip_id=_CLIP, subject_id=None, label=network.classes[0], part="test")
    told = network.reader(place).predict([sample])
    weight = network.fusion_weight
    fine, head = told.fused(weight), told.fused_basic(weight)
    return Said(
        fine=fine[0],
        basic_sum=upper_sums(fine, network.labels)[0],
        basic_head=head[0] if head.shape[1] else None,
    )


class _Spool:
    """Faces of a video as rows of the table ``faces``."""

    def __init__(self, manifests: Path, faces: FacesConfig) -> None:
        self._faces = faces
        self._writer = TableWriter(manifests / "faces" / "00000.parquet", records.schema("faces"))

    def add(self, index: int, found: Observation) -> None:
        """Keep a frame."""
        row: dict[str, Any] = {
            "clip_id": _CLIP,
            "frame_index": index,
            "role": "video",
            "status": found.status,
            "track_id": found.track_id,
        }
        if found.chip is not None and found.transform is not None:
            row["transform"] = found.transform.astype(np.float32).ravel().tolist()
            data = encode(found.chip, self._faces.format, self._faces.jpeg_quality)
            row["image"] = {"bytes": data, "path": f"{index}"}
        self._writer.add(row)

    def close(self) -> None:
        """No more frames come."""
        self._writer.close()

    def discard(self) -> None:
        """Give up."""
        self._writer.discard()


def _write_flow(manifests: Path, config: OpticalFlowConfig) -> None:
    writer = TableWriter(manifests / FLOW / "00000.parquet", records.schema("optical_flow"))
    for row in flow_fields(_CLIP, _rows(manifests), config):
        writer.add(row)
    writer.close()


def _rows(manifests: Path) -> Iterator[Mapping[str, Any]]:
    return read_rows(manifests / "faces" / "00000.parquet", FACE_COLUMNS)
