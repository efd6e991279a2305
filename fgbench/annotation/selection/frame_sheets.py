"""``fgbench annotate frames``: frames near key frames as pictures, and pages on which experts select them.

The paper has two experts for it: one selects the frames near the key frame, one inspects the selection
(section III). Reads manifests; writes one folder: ``index.html``, pages (``sheet-0001.html``, ...) and
``pictures/``. The pages load nothing but these pictures, and work from the disk.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.annotation.selection.offered_frames import FramePicture, OfferedClip, offered_clips, pictures_of
from fgbench.annotation.selection.selection_pages import SheetEntry, index_page, sheet_page
from fgbench.callbacks import Progress
from fgbench.errors import ConfigError
from fgbench.files.hashing import digest_json
from fgbench.media.images import decode, encode
from fgbench.naming import counted
from fgbench.notebook_lines import NotebookLines
from fgbench.publication.owned_folder import OwnedFolder
from fgbench.workfolders.folder import published_recipe
from fgbench.workfolders.manifest_index import read_index

SHEET_CLIPS = 2000
"""Most clips of a page; the paper's data set fits one."""

_SMALL_PX, _SMALL_QUALITY = 96, 85
_PNG = b"\x89PNG"


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameSheets(NotebookLines):
    """Pages that were written.

    Attributes:
        folder: Their folder.
        pages: The pages, in order.
        clips: Clips with frames to select from.
        frames: These frames.
        clips_without: Clips without a usable face near the key frame, ordered by id.
        frames_without: Frames near a key frame without a usable face.
        bytes: Size of all pictures and pages.
    """

    folder: Path
    pages: tuple[Path, ...]
    clips: int
    frames: int
    clips_without: tuple[str, ...]
    frames_without: int
    bytes: int

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "folder": str(self.folder),
            "pages": [str(page) for page in self.pages],
            "clips": self.clips,
            "frames": self.frames,
            "clips_without": list(self.clips_without),
            "frames_without": self.frames_without,
            "bytes": self.bytes,
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        counts = (
            f"{counted(self.frames, 'frame')} of {counted(self.clips, 'clip')} to select from, "
            f"{self.bytes / 1e6:.1f} MB"
        )
        without = (
            f"{counted(self.frames_without, 'frame')} near key frames without a usable face, "
            f"{counted(len(self.clips_without), 'clip')} without any"
        )
        return [
            counts,
            *([without] if self.frames_without else []),
            f"page: {self.folder / 'index.html'}",
        ]


def export_frames(workdir: Path, out: Path, *, progress: Progress) -> FrameSheets:
    """Write the frames near the key frames of all settled clips, and the pages to select from them.

    Args:
        workdir: Work folder with complete manifests.
        out: Folder to write: new, empty, or written by an earlier export.
        progress: Called with the number of clips done.

    Raises:
        ConfigError: If no clip has a class or a usable face near its key frame, or something else is in the
            folder, of which nothing is changed.
        ManifestError: If manifests are missing or damaged.
        ResourceError: If the folder cannot be written.
    """
    index = read_index(workdir)
    target = OwnedFolder(out, "frames to select from")
    offered = offered_clips(workdir, published_recipe(workdir))
    clips = [clip for clip in offered if clip.frames]
    if not clips:
        raise ConfigError(
            f"{workdir} has no usable face near a key frame, expected frames to select from",
            "look at what fgbench prepare says of faces and key frames",
        )
    numbers = {clip.clip_id: number for number, clip in enumerate(clips, start=1)}
    sheets = [clips[start : start + SHEET_CLIPS] for start in range(0, len(clips), SHEET_CLIPS)]
    pages = [f"sheet-{number:04d}.html" for number in range(1, len(sheets) + 1)]
    # JPEG or PNG: known when a picture is read, so that both names are noted.
    possible = {
        f"pictures/{numbers[clip.clip_id]:06d}/{name}"
        for clip in clips
        for name in (
            *(f"{frame:06d}.{suffix}" for frame in clip.frames for suffix in ("jpg", "png")),
            *(f"{frame:06d}-small.jpg" for frame in clip.context),
        )
    }
    target.begin({*possible, *pages, "index.html"})
    written: set[str] = set()
    described: dict[str, str] = {}
    size = 0
    for done, (clip, pictures) in enumerate(pictures_of(workdir, clips), start=1):
        folder = f"pictures/{numbers[clip.clip_id]:06d}"
        for name, data in _files(clip, pictures):
            storage.write_bytes(out / folder / name, data)
            written.add(f"{folder}/{name}")
            size += len(data)
        described[clip.clip_id] = json.dumps(_described(clip, pictures, folder))
        progress("clips", done, len(clips))
    entries: list[SheetEntry] = []
    for name, sheet in zip(pages, sheets, strict=True):
        block = [json.loads(described[clip.clip_id]) for clip in sheet]
        entry = SheetEntry(
            name=name,
            identity=digest_json([index["dataset"], [[c["id"], c["digest"]] for c in block]])[:32],
            number=len(entries) + 1,
            of=len(sheets),
            clips=block,
        )
        text = sheet_page(entry, dataset=str(index["dataset"]), synthetic=bool(index["synthetic"]))
        storage.write_text(out / name, text)
        size += len(text.encode("utf-8"))
        entries.append(entry.without_clips())
    without = tuple(clip.clip_id for clip in offered if not clip.frames)
    storage.write_text(
        out / "index.html",
        index_page(entries, without, dataset=str(index["dataset"]), synthetic=bool(index["synthetic"])),
    )
    target.end({*written, *pages, "index.html"})
    return FrameSheets(
        folder=out,
        pages=tuple(out / name for name in pages),
        clips=len(clips),
        frames=sum(len(clip.frames) for clip in clips),
        clips_without=without,
        frames_without=sum(clip.n_without for clip in offered),
        bytes=size,
    )


def _files(clip: OfferedClip, pictures: Sequence[FramePicture]) -> Iterator[tuple[str, bytes]]:
    """Yield names and contents: faces as they are stored, neighbours in small."""
    for picture in pictures:
        if picture.frame_index in clip.context:
            yield _small_name(picture), _small(picture.data)
        else:
            yield _name(picture), picture.data


def _name(picture: FramePicture) -> str:
    return f"{picture.frame_index:06d}.{'png' if picture.data.startswith(_PNG) else 'jpg'}"


def _small_name(picture: FramePicture) -> str:
    return f"{picture.frame_index:06d}-small.jpg"


def _small(data: bytes) -> bytes:
    import cv2

    shape = (_SMALL_PX, _SMALL_PX)
    return encode(cv2.resize(decode(data), shape, interpolation=cv2.INTER_AREA), "jpeg", _SMALL_QUALITY)


def _described(clip: OfferedClip, pictures: Sequence[FramePicture], folder: str) -> dict[str, Any]:
    """Values of a clip in its page; ``frames`` are numbers, times, sharpness and quality."""
    shown = [picture for picture in pictures if picture.frame_index not in clip.context]
    return {
        "id": clip.clip_id,
        "label": clip.label,
        "key": clip.key_frame,
        "settled": clip.is_settled,
        "digest": digest_json([hashlib.sha256(picture.data).hexdigest() for picture in shown]),
        "folder": folder,
        "files": {
            picture.frame_index: _small_name(picture)
            if picture.frame_index in clip.context
            else _name(picture)
            for picture in pictures
        },
        "frames": [
            [picture.frame_index, *map(_number, (picture.time_s, picture.sharpness, picture.quality))]
            for picture in shown
        ],
    }


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 4)
