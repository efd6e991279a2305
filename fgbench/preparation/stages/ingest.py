"""Stage ``ingest``: read the properties of each clip, without decoding it where that is safe.

Reads the adapter's list and the files; writes one row per clip: container, codec, size, rotation, pixel
aspect, frame rate and count, duration, SHA-256, and the annotations. A file that is missing, empty,
truncated, too large, without video or not a video becomes a reject with its reason, and so does a clip whose
key frame or label is impossible. A vote for a key frame that the clip does not have is kept without it. Of
clips whose frame rate varies, the times of voted key frames are kept as the file gives them. Pictures and
folders of pictures have decoders of their own (`fgbench.media.video.decoder_for`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

from fgbench.catalogue.stamps import Stamp, Stamps
from fgbench.config import IngestConfig
from fgbench.errors import MediaError
from fgbench.media import video
from fgbench.preparation.pipeline import CHANGED, ROWS, Accepted, Item, Outcome, Stage, Task
from fgbench.records import ClipEntry, Rejected, Vote
from fgbench.remote.fetching import at_hand
from fgbench.taxonomy import UNLABELLED, UnknownLabelError, ontology, reserved_answer


def _run(task: Task) -> Iterator[Item]:
    config = task.config
    assert isinstance(config, IngestConfig)
    stamps = {entry.clip_id: stamp for entry, stamp in zip(task.entries, task.stamps, strict=True)}
    for entry in sorted(task.entries, key=lambda entry: entry.clip_id):
        yield Item(entry.clip_id, partial(_ingest, entry, config, task, stamps[entry.clip_id]))


def _ingest(entry: ClipEntry, config: IngestConfig, task: Task, stamp: Stamp) -> Outcome:
    if entry.problem is not None:
        return Rejected(entry.clip_id, *entry.problem)
    limits = video.Limits(
        max_picture_px=config.max_picture_px,
        max_frame_px=config.max_frame_px,
        max_seconds=config.max_seconds,
    )
    try:
        path = inside(task.root, entry.path)
        before = Stamps(task.root).of(entry.path)
        decoder = video.decoder_for(path, config.decoder)
        with video.open_video(path, decoder, limits=limits) as reader:
            info = reader.info
            votes = _votes(entry, reader)
        sha256 = video.media_digest(path, decoder)
    except MediaError as error:
        return Rejected(entry.clip_id, error.reason, error.message)
    except OSError as error:
        return Rejected(entry.clip_id, "unreadable", f"{entry.path}: {error.strerror or error}")
    if not before == Stamps(task.root).of(entry.path) == stamp:
        detail = f"{entry.path} was exchanged or written to since it was decided to read it"
        return Rejected(entry.clip_id, CHANGED, detail)
    if info.is_truncated and config.truncated == "reject":
        announced = "" if info.n_announced is None else f" of {info.n_announced} that it announces"
        detail = f"the file lacks its end, it holds {info.n_frames} frames{announced}"
        hint = "copy it again, or take what is left with ingest.truncated: use"
        return Rejected(entry.clip_id, "truncated", f"{detail}; {hint}")
    problem = _annotation_problem(entry, info.n_frames, task.scheme)
    if problem is not None:
        return Rejected(entry.clip_id, *problem)
    # A still picture is the climax itself; a moving one is recognised by its content, whatever its name.
    is_still = info.container == "file"
    fps = entry.fps if info.fps is None and not is_still else info.fps
    row: dict[str, Any] = {
        "clip_id": entry.clip_id,
        "dataset": task.dataset,
        "path": entry.path,
        "sha256": sha256,
        "decoder": decoder,
        "container": info.container,
        "codec": info.codec,
        "pixel_format": info.pixel_format,
        "width": info.width,
        "height": info.height,
        "rotation_deg": info.rotation_deg,
        "mirrored": info.mirrored,
        "pixel_aspect": info.pixel_aspect,
        "tone_mapped": info.tone_mapped,
        "fps": fps,
        "n_frames": info.n_frames,
        "truncated": info.is_truncated,
        "n_announced": info.n_announced,
        "duration_s": info.n_frames / fps if fps and info.duration_s is None else info.duration_s,
        "source_id": entry.source_id,
        "subject_id": entry.subject_id,
        "label": entry.label,
        "confidence": entry.confidence,
        "key_frame": 0 if is_still and not entry.votes and entry.key_frame is None else entry.key_frame,
        "scheme": task.scheme,
        "official_split": entry.split,
        "fold": entry.fold,
        "votes": [asdict(vote) for vote in votes],
        "stills_only": entry.stills_only,
        "max_frame_px": config.max_frame_px,
        "gold_label": entry.gold_label,
    }
    return Accepted(entry.clip_id, [row])


def _votes(entry: ClipEntry, reader: video.Reader) -> list[Vote]:
    """The votes on a clip with the times of their key frames, and without key frames that it does not have.

    Raises:
        MediaError: If the file cannot be read.
    """
    n_frames = reader.info.n_frames
    votes = [
        vote
        if vote.key_frame is None or 0 <= vote.key_frame < n_frames
        else replace(vote, key_frame=None, outside=vote.key_frame)
        for vote in entry.votes
    ]
    frames = sorted({vote.key_frame for vote in votes if vote.key_frame is not None})
    times_s = reader.uneven_times_s(frames) if frames else None
    if times_s is None:
        return votes
    at: dict[int | None, float] = dict(zip(frames, times_s, strict=True))
    return [replace(vote, time_s=at.get(vote.key_frame)) for vote in votes]


def inside(root: Path, relative: str) -> Path:
    """Path of a file of the data set, which may not lead out of its root; one at a URL is fetched.

    Links in the folder are followed: videos may lie on another disk.

    Args:
        root: Root of the data set.
        relative: POSIX path from there.

    Raises:
        MediaError: If the path is absolute or leads out of the root (reason ``path_outside_root``); if its
            object is gone or was exchanged since it was listed (:data:`CHANGED`).
        ResourceError: If the storage does not give it.
    """
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts:
        raise MediaError(
            f"path {relative!r} leads out of the data set's folder",
            "give paths relative to the folder and inside it",
            reason="path_outside_root",
        )
    at_hand(root, relative, changed=CHANGED)
    return root.joinpath(*pure.parts)


def _annotation_problem(entry: ClipEntry, n_frames: int, scheme: str) -> tuple[str, str] | None:
    """Reason and detail if labels or frame numbers are impossible, else ``None``."""
    marked = entry.key_frame
    if marked is not None and not 0 <= marked < n_frames:
        return "key_frame_outside", f"key frame {marked}, but the clip has frames 0 to {n_frames - 1}"
    last = entry.last_unit_frame
    if last is not None and last >= n_frames:
        return (
            "unit_frame_outside",
            f"action units of frame {last}, but the clip has frames 0 to {n_frames - 1}",
        )
    if scheme == UNLABELLED:
        return None
    if entry.votes:  # a vote for an unknown class settles nothing, and the others may
        unknown = [
            None if reserved_answer(vote.label) else _unknown(vote.label, scheme) for vote in entry.votes
        ]
        return None if None in unknown else unknown[0]
    if not entry.label:
        return "missing_label", "the clip has neither a label nor votes"
    return _unknown(entry.label, scheme)


def _unknown(label: str, scheme: str) -> tuple[str, str] | None:
    """Reason and detail if a label set lacks a label."""
    if not label:
        return "missing_label", "every vote is without a label"
    try:
        ontology(scheme).find(label)
    except UnknownLabelError as error:
        return "unknown_label", f"{error.message}; {error.hint}"
    return None


STAGE = Stage(name="ingest", version=8, inputs=(), outputs={ROWS: "ingest"}, run=_run)
