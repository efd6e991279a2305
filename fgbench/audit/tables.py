"""Rows of the manifests of a work folder that an audit reads: clips, original pictures, augmented copies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from fgbench.audit.leak import AuditedClip, Kind, Leak
from fgbench.audit.pictures import StoredPicture
from fgbench.audit.spread_frames import spread_frames
from fgbench.errors import ManifestError
from fgbench.records import image_id
from fgbench.storage import read_rows


def read_clips(manifests: Path) -> list[AuditedClip]:
    """Clips, ordered by id.

    Raises:
        ManifestError: If their table is missing or damaged.
    """
    columns = ["clip_id", "split", "sha256", "subject_id", "source_id", "label"]
    clips = [
        AuditedClip(
            clip_id=row["clip_id"],
            part=row["split"],
            sha256=row["sha256"],
            subject_id=row["subject_id"],
            source_id=row["source_id"],
            label=row["label"],
        )
        for row in read_rows(manifests / "clips.parquet", columns)
    ]
    return sorted(clips, key=lambda clip: (clip.clip_id, clip.part))


class AuditedPictures:
    """The pictures of some parts that are compared: the originals of the image set, and faces of clips that
    have none there (`fgbench.audit.spread_frames`).

    Ids of pictures and of the chosen faces are read at once, the pictures one after the other.
    """

    def __init__(self, manifests: Path, parts: Collection[str] | None) -> None:
        """Pictures of some parts of a work folder, or of all (``None``).

        Raises:
            ManifestError: If a table is missing or damaged.
        """
        self._manifests, self._parts = manifests, parts
        clips = read_rows(manifests / "clips.parquet", ["clip_id", "split"])
        bare = {row["clip_id"] for row in clips if parts is None or row["split"] in parts}
        self._n_originals = 0
        for row in _image_rows(manifests, ["clip_id", "parent_id", "split"]):
            if row["parent_id"] is None:
                bare.discard(row["clip_id"])
                self._n_originals += self._is_wanted(row)
        columns = ["clip_id", "frame_index", "status"]
        self._chosen = [
            (path, chosen)
            for path in (_files(manifests, "faces") if bare else ())
            if (chosen := spread_frames(read_rows(path, columns), frozenset(bare)))
        ]

    def __len__(self) -> int:
        return self._n_originals + sum(len(chosen) for _, chosen in self._chosen)

    def __iter__(self) -> Iterator[StoredPicture]:
        for row in _image_rows(self._manifests, ["image_id", "clip_id", "parent_id", "split", "image"]):
            if row["parent_id"] is None and self._is_wanted(row):
                yield StoredPicture(row["image_id"], row["clip_id"], row["image"]["bytes"] or b"")
        for path, chosen in self._chosen:
            for key, data in _faces(path, chosen):
                yield StoredPicture(image_id(*key), key[0], data)

    def _is_wanted(self, row: dict[str, Any]) -> bool:
        return self._parts is None or row["split"] in self._parts


def pictures_by_id(manifests: Path, image_ids: Collection[str]) -> dict[str, bytes]:
    """Encoded bytes of some pictures, or faces of frames, by id."""
    wanted = set(image_ids)
    pictures: dict[str, bytes] = {}
    for path in _files(manifests) if wanted else []:
        if any(row["image_id"] in wanted for row in read_rows(path, ["image_id"])):
            for row in read_rows(path, ["image_id", "image"]):
                if row["image_id"] in wanted:
                    pictures[row["image_id"]] = row["image"]["bytes"] or b""
    left = wanted - pictures.keys()
    for path in _files(manifests, "faces") if left else []:
        keys = ((row["clip_id"], row["frame_index"]) for row in read_rows(path, ["clip_id", "frame_index"]))
        if shown := {key for key in keys if image_id(*key) in left}:
            pictures |= {image_id(*key): data for key, data in _faces(path, shown)}
    return pictures


def misplaced_pictures(manifests: Path, clips: Collection[AuditedClip]) -> list[Leak]:
    """Pictures in another part than their clip or original, and copies whose original is missing.

    Raises:
        ManifestError: If a picture is of a clip that is not in the table of clips.
    """
    parts_of_clip: dict[str, list[str]] = defaultdict(list)
    for clip in clips:
        parts_of_clip[clip.clip_id].append(clip.part)
    part_of: dict[str, str] = {}
    copies: list[tuple[str, str, str, str]] = []
    astray: dict[str, str] = {}
    for row in _image_rows(manifests, ["image_id", "clip_id", "parent_id", "split"]):
        clip_id, part = row["clip_id"], row["split"]
        if clip_id not in parts_of_clip:
            raise ManifestError(
                f"picture {row['image_id']!r} is of clip {clip_id!r}, which is not in clips.parquet",
                "run fgbench prepare: it makes the manifests anew",
            )
        if row["parent_id"] is not None:
            copies.append((row["image_id"], row["parent_id"], clip_id, part))
        else:
            part_of[row["image_id"]] = part
            if part not in parts_of_clip[clip_id]:
                astray[clip_id] = part
    leaks = [
        _misplaced(
            "same_clip",
            (part, clip_id),
            (parts_of_clip[clip_id][0], clip_id),
            clip_id,
            f"the clip is in {parts_of_clip[clip_id][0]}, some of its pictures are in {part}",
        )
        for clip_id, part in sorted(astray.items())
    ]
    for copy, parent, clip_id, part in sorted(copies):
        parent_part = part_of.get(parent)
        if parent_part is None:
            detail = f"its original {parent} is in no part"
            leaks.append(_misplaced("parent_missing", (part, copy), ("", parent), clip_id, detail))
        elif parent_part != part:
            detail = f"the copy is in {part}, its original in {parent_part}"
            leaks.append(_misplaced("parent_elsewhere", (part, copy), (parent_part, parent), clip_id, detail))
    return leaks


def _misplaced(
    kind: Kind, first: tuple[str, str], second: tuple[str, str], clip_id: str, detail: str
) -> Leak:
    part, name = first
    other_part, other = second
    return Leak(
        kind=kind,
        first_part=part,
        second_part=other_part,
        first=name,
        second=other,
        allowed=False,
        detail=detail,
        first_clips=(clip_id,),
        pictures=(name, other) if kind == "parent_elsewhere" else None,
    )


def _image_rows(manifests: Path, columns: list[str]) -> Iterator[dict[str, Any]]:
    for path in _files(manifests):
        yield from read_rows(path, columns)


def _files(manifests: Path, table: str = "images") -> list[Path]:
    return sorted((manifests / table).glob("*.parquet"))


def _faces(path: Path, chosen: Collection[tuple[str, int]]) -> Iterator[tuple[tuple[str, int], bytes]]:
    """Clip and number of some frames of a file, with the encoded face."""
    for row in read_rows(path, ["clip_id", "frame_index", "image"]):
        if (key := (row["clip_id"], row["frame_index"])) in chosen:
            yield key, (row["image"] or {}).get("bytes") or b""
