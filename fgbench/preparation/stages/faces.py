"""Stage ``faces``: find, follow and align the face in every sampled frame.

Reads ``sample`` and ``ingest`` and decodes each clip once. Writes one row per sampled frame: ``status`` is
``ok``, or the reason why there is no usable face (`fgbench.faces.status`): ``unsure`` and
``passing`` ones are kept with their face, but are in no image set, feature or sample of a network. With
``align: never`` frames are taken as they are, resized to the size of a chip; with ``where-found`` those of
clips in which the face is not found (:mod:`fgbench.faces.cropped_pictures`), which get the status ``as_is``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fgbench.config import FacesConfig
from fgbench.errors import MediaError
from fgbench.faces import status
from fgbench.faces.all_faces import everyone
from fgbench.faces.clip_faces import observe_clip
from fgbench.faces.cropped_pictures import observe_cropped
from fgbench.faces.locating import Models, load_models
from fgbench.faces.models import find_model
from fgbench.faces.observation import Observation
from fgbench.faces.passers_by import without_passers_by
from fgbench.media import video
from fgbench.media.faults import GIVEN_UP
from fgbench.media.images import SUFFIXES, encode
from fgbench.preparation.pipeline import ROWS, Accepted, Item, Stage, Task
from fgbench.preparation.stages._source_files import COLUMNS, check_unchanged, unchanged_rows
from fgbench.preparation.stages.ingest import inside
from fgbench.records import N_LANDMARKS, image_id

Row = dict[str, Any]


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, FacesConfig)
    columns = [*COLUMNS, "max_frame_px"]
    clips = {row["clip_id"]: row for row in task.rows("ingest", columns=columns)}
    for clip_id, samples in groupby(task.rows("sample"), key=lambda row: str(row["clip_id"])):
        yield Item(clip_id, partial(_clip, clips[clip_id], list(samples), config, task.root))


def _clip(clip: Row, wanted: list[Row], config: FacesConfig, root: Path) -> Accepted:
    stamp = check_unchanged(root, clip)
    # Frames of a video may grow midway, beyond the size in its header.
    limits = replace(video.NO_LIMITS, max_frame_px=clip["max_frame_px"], max_seconds=config.max_seconds)
    reader = video.open_video(inside(root, clip["path"]), clip["decoder"], limits=limits)
    return Accepted(clip["clip_id"], unchanged_rows(_observe(reader, wanted, config), root, clip, stamp))


def _observe(reader: video.Reader, wanted: list[Row], config: FacesConfig) -> Iterator[Row]:
    """One row per sampled frame; frames that the decoder does not give get the status ``not_decoded``.

    Raises:
        MediaError: If the clip is to be given up (:data:`fgbench.media.faults.GIVEN_UP`).
    """
    with reader:
        fps, n_frames = reader.info.fps, reader.info.n_frames
        yield from without_passers_by(
            _rows(reader, wanted, config),
            frame_s=1 / fps if fps else None,
            n_frames=n_frames,
            min_track_s=config.min_track_s,
            min_track_score=config.min_track_score,
        )


def _rows(reader: video.Reader, wanted: list[Row], config: FacesConfig) -> Iterator[Row]:
    missing = iter(wanted)
    is_timed = reader.info.fps is not None
    frames = _readable(reader, [sample["frame_index"] for sample in wanted])
    for frame, observation in observed(frames, config):
        sample = next(missing)
        while sample["frame_index"] != frame.index:
            yield _row(sample, None, config)
            sample = next(missing)
        yield {
            **_row(sample, observation, config),
            "time_s": frame.time_s if is_timed else None,
            "resized_from": frame.resized_from,
        }
    for sample in missing:
        yield _row(sample, None, config)


def _readable(reader: video.Reader, indices: list[int]) -> Iterator[video.Frame]:
    """Frames until the file breaks off."""
    try:
        yield from reader.frames(indices)
    except MediaError as error:
        if error.reason in GIVEN_UP:
            raise


def observed(frames: Iterable[video.Frame], config: FacesConfig) -> Iterator[tuple[video.Frame, Observation]]:
    """The frames of one clip, in order, each with its observation.

    Args:
        frames: In order; some may be left out. A few are held at a time.
        config: Settings of the search; with ``align: never`` whole frames stand for faces.

    Raises:
        ConfigError: If there is no such detector.
        DependencyError: If a model file is missing.
    """
    if config.align == "never":
        return ((frame, whole_frame(frame, config.chip_size)) for frame in frames)
    models = _models(config.detector, config.detector_model, config.landmarks)
    if config.align == "where-found":
        return observe_cropped(frames, config, models, whole=partial(as_is, config=config))
    return observe_clip(frames, config, models)


def everyone_in(frame: video.Frame, config: FacesConfig) -> list[Observation]:
    """All faces of a still picture, see :func:`fgbench.faces.all_faces.everyone`; errors as of
    :func:`observed`."""
    return everyone(frame, config, _models(config.detector, config.detector_model, config.landmarks))


def as_is(frame: video.Frame, config: FacesConfig) -> Observation:
    """Like :func:`whole_frame`, with status ``as_is`` for a usable frame, in clips searched for faces."""
    whole = whole_frame(frame, config.chip_size)
    return replace(whole, status=status.AS_IS) if whole.status == status.OK else whole


@lru_cache(maxsize=1)
def _models(detector: str, detector_model: str | None, landmarks: Literal[68, 5]) -> Models:
    """Models of a worker process, loaded once: loading takes longer than searching a clip."""
    return load_models(FacesConfig(detector=detector, detector_model=detector_model, landmarks=landmarks))


def whole_frame(frame: video.Frame, size: int) -> Observation:
    """Observation of a frame that is cropped already: the frame resized to ``size`` x ``size``."""
    import cv2

    if frame.is_corrupt:
        return Observation(status=status.CORRUPT_FRAME)
    width, height = frame.size
    chip = cv2.resize(frame.rgb(), (size, size), interpolation=cv2.INTER_AREA)
    across, down = size / width, size / height
    transform = np.array([[across, 0, (across - 1) / 2], [0, down, (down - 1) / 2]])
    return Observation(status=status.OK, transform=transform, chip=chip)


def _row(sample: Mapping[str, Any], observation: Observation | None, config: FacesConfig) -> Row:
    row: Row = {key: sample[key] for key in ("clip_id", "frame_index", "offset", "role")}
    if observation is None:
        return {**row, "status": status.NOT_DECODED, "n_faces": 0}
    row |= {
        "status": observation.status,
        "track_id": observation.track_id,
        "n_faces": observation.n_faces,
        "box_xyxy": _flat(observation.box_xyxy),
        "score": observation.score,
        "quality": observation.quality,
        "landmarks": _padded(observation.landmarks),
        "transform": _flat(observation.transform),
        "yaw_deg": observation.yaw_deg,
        "pitch_deg": observation.pitch_deg,
        "roll_deg": observation.roll_deg,
        "sharpness": observation.sharpness,
    }
    if observation.chip is not None:
        name = f"{image_id(sample['clip_id'], sample['frame_index'])}.{SUFFIXES[config.format]}"
        row["image"] = {"bytes": encode(observation.chip, config.format, config.jpeg_quality), "path": name}
    return row


def _flat(values: Any) -> list[float] | None:
    return None if values is None else np.asarray(values, np.float32).ravel().tolist()


def _padded(landmarks: Any) -> list[float] | None:
    """Landmarks as a list of the table's length, NaN after the points of the 5-point model."""
    if landmarks is None:
        return None
    full = np.full((N_LANDMARKS, 2), np.nan, np.float32)
    full[: len(landmarks)] = landmarks
    return full.ravel().tolist()


def _files(config: FacesConfig) -> list[Path]:
    return [find_model(config.detector, config.detector_model)] if config.detector_model else []


STAGE = Stage(
    name="faces",
    version=8,
    inputs=("sample", "ingest"),
    outputs={ROWS: "faces"},
    run=_run,
    files=_files,
)
