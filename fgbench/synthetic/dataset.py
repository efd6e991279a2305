"""Writes the embedded data set: clips, annotations and exact truth (``fgbench synth``).

Reads nothing but the class recipes. Writes into one folder::

    videos/<clip_id>.mp4   H.264, one class each, neutral - apex - neutral
    annotations.csv        clip,label,key_frame,confidence,subject,source
    truth.parquet          one row per frame: landmarks, pose, action units, phase
    synthetic.json         options and counts; written last, so its presence says that the set is complete

A clip depends on the options and its own id alone, so neither the number of workers nor an interruption
changes a byte.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench import storage
from fgbench.errors import ConfigError
from fgbench.files.parquet_files import ParquetSink
from fgbench.files.temporaries import is_temporary, remove_temporaries
from fgbench.synthetic.clip import draw_clip, truth, truth_schema, write_video
from fgbench.synthetic.motion import ONSET_FRAMES, PLAYED_AS, offset_frames
from fgbench.synthetic.plan import ClipPlan, SynthOptions, plan
from fgbench.workers import Workers

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ANNOTATIONS", "MARKER", "TRUTH", "SynthOptions", "generate", "is_complete"]

GENERATOR_VERSION = 2
"""Raised whenever the same options give other clips."""

MARKER = "synthetic.json"
ANNOTATIONS = "annotations.csv"
TRUTH = "truth.parquet"
_UNFINISHED = "synthetic-unfinished.json"
_VIDEOS = "videos"
_NOTE = "Drawn by fgbench, not filmed. Nothing measured on it says anything of accuracy on real faces."
_MOTION_NOTE = (
    "A control: the classes differ by the speed of the onset alone. Clips whose ids end alike are a matched "
    "group: same person, scene, action units, length, key frame and apex. No single frame tells the class; "
    "a model that is better than chance here uses motion."
)


def is_complete(root: Path) -> bool:
    """Return whether a folder holds a data set that was written completely."""
    return (root / MARKER).is_file()


def generate(
    out: Path,
    options: SynthOptions,
    *,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Draw the data set; existing parts of it are kept.

    Args:
        out: Folder; new, empty, or holding (part of) the set with the same options.
        options: Settings of the data set.
        jobs: Number of worker processes; the result does not depend on it.
        progress: Called with the number of finished clips and of all clips.

    Returns:
        ``out``.

    Raises:
        ConfigError: If the folder holds something else; nothing in it is changed.
        ResourceError: If the disk is full or the folder cannot be written.
        WorkerError: If a worker process died.
    """
    record = {"generator_version": GENERATOR_VERSION, "options": _recorded(options)}
    _refuse_other_content(out, record)
    if is_complete(out):
        return out
    with storage.exclusive(out):
        storage.write_json(out / _UNFINISHED, record)
        remove_temporaries(out, of={MARKER, _UNFINISHED, TRUTH, ANNOTATIONS})
        remove_temporaries(out / _VIDEOS)
        clips = plan(options)
        if progress is not None:
            progress(0, len(clips))
        n_frames = _draw_all(out, options, clips, jobs=jobs, progress=progress)
        counts = {"clips": len(clips), "frames": n_frames}
        storage.write_json(out / MARKER, {**record, **counts, **_description(options)})
        (out / _UNFINISHED).unlink(missing_ok=True)
    return out


def _recorded(options: SynthOptions) -> dict[str, Any]:
    """The options as they are written: without later ones at their default, which change nothing."""
    usual = {"control": None, "variety": "plain", "classes": None}
    recorded = {name: value for name, value in asdict(options).items() if (name, value) not in usual.items()}
    if options.classes is not None:
        recorded["classes"] = sorted(options.classes)  # as JSON has them; their order changes nothing
    return recorded


def _description(options: SynthOptions) -> dict[str, Any]:
    """Description of the data set for its users."""
    if options.control is None:
        return {"synthetic": True, "note": _NOTE}
    return {
        "synthetic": True,
        "note": f"{_NOTE} {_MOTION_NOTE}",
        "played_as": PLAYED_AS,
        "onset_frames": dict(ONSET_FRAMES),
        "offset_frames": {label: offset_frames(label) for label in ONSET_FRAMES},
    }


def _refuse_other_content(out: Path, record: dict[str, Any]) -> None:
    """Check that a folder is free for, or belongs to, the data set of a record."""
    if not out.exists():
        return
    if not out.is_dir():
        raise ConfigError(f"{out} is a file, expected a folder", "choose another folder")
    if (out / _VIDEOS).is_symlink():
        raise ConfigError(f"{out / _VIDEOS} is a link, expected a folder", "choose another folder")
    for name in (MARKER, _UNFINISHED):
        if (out / name).is_file():
            previous = storage.read_json(out / name)
            if not isinstance(previous, dict) or not isinstance(previous.get("options"), dict):
                raise ConfigError(f"{out / name} holds no description of a data set", "choose another folder")
            if all(previous.get(key) == value for key, value in record.items()):
                return
            raise ConfigError(
                f"{out} holds a synthetic data set with other options: {_difference(previous, record)}",
                "choose another folder, or delete this one",
            )
    locks = storage.OF_LOCKS
    passing = {*locks, _UNFINISHED}
    if any(path.name not in locks and not is_temporary(path.name, of=passing) for path in out.iterdir()):
        raise ConfigError(
            f"{out} is not empty and holds no synthetic data set", "choose a new or an empty folder"
        )


def _difference(previous: dict[str, Any], record: dict[str, Any]) -> str:
    old, new = (
        {"version": one.get("generator_version"), **one.get("options", {})} for one in (previous, record)
    )
    return ", ".join(
        f"{key} is {old.get(key)!r} there, {new.get(key)!r} wanted"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    )


def _draw_all(
    out: Path,
    options: SynthOptions,
    clips: list[ClipPlan],
    *,
    jobs: int,
    progress: Callable[[int, int], None] | None,
) -> int:
    """Draw the clips, then write the truth and the annotations; return the number of frames."""
    text = io.StringIO()
    annotations = csv.writer(text, lineterminator="\n")
    annotations.writerow(("clip", "label", "key_frame", "confidence", "subject", "source"))
    n_frames = 0
    with (
        storage.written(out / TRUTH) as temporary,
        ParquetSink(temporary, truth_schema()) as sink,
    ):
        for done, (clip, table) in enumerate(zip(clips, _drawn(out, options, clips, jobs), strict=True), 1):
            sink.write_table(table)
            n_frames += table.num_rows
            key_frame = table["is_key_frame"].to_pylist().index(True)
            row = (f"{clip.clip_id}.mp4", clip.label, key_frame, 1.0, clip.subject_id, clip.subject_id)
            annotations.writerow(row)
            if progress is not None:
                progress(done, len(clips))
    storage.write_text(out / ANNOTATIONS, text.getvalue())
    return n_frames


def _drawn(out: Path, options: SynthOptions, clips: list[ClipPlan], jobs: int) -> Iterator[pa.Table]:
    """Truth of each clip in order, its video written."""
    tasks = [(out, options, clip) for clip in clips]
    if jobs <= 1:
        _one_thread()
        yield from map(_draw_one, tasks)
        return
    workers = Workers(jobs, _one_thread, modules=(__name__,))
    try:
        early: dict[int, pa.Table] = {}
        awaited = 0
        for number, table in workers.run(_draw_one, tasks):
            early[number] = table
            while awaited in early:
                yield early.pop(awaited)
                awaited += 1
    finally:
        workers.stop()


def _draw_one(task: tuple[Path, SynthOptions, ClipPlan]) -> pa.Table:
    out, options, plan_of_clip = task
    clip = draw_clip(plan_of_clip, options)
    path = out / _VIDEOS / f"{plan_of_clip.clip_id}.mp4"
    if not path.is_file():
        write_video(path, clip, options)
    return truth(clip)


def _one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
