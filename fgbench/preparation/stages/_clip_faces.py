"""What the frames of a clip say of its faces, summed up per clip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.faces.status import AS_IS, PASSING, UNSURE, USABLE
from fgbench.preparation import pipeline
from fgbench.preparation.stages._frame_sizes import size_changes
from fgbench.records import IMAGE_ROLES

if TYPE_CHECKING:
    import pyarrow as pa

COUNTED = (
    "n_faces_ok",
    "n_images",
    "n_unsure",
    "n_passing",
    "n_tracks",
    "n_persons",
    "size_changes",
    "n_as_is",
)
"""Columns of ``clips``, and a last one that is not kept, that are counted in its rows of ``faces``."""


def counts_per_clip(path: Path) -> pa.Table:
    """The :data:`COUNTED` of the clips of a table of faces.

    ``n_tracks`` counts the numbers of tracks; ``n_persons`` is the greatest number of faces that were seen at
    once, so that one person who is lost and found again is one.

    Args:
        path: The table.

    Returns:
        ``clip_id`` and one int32 column each.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = ["clip_id", "role", "status", "resized_from", "track_id", "n_faces"]
    faces = pipeline.read_table([path], columns)
    status = faces["status"]
    usable = pc.is_in(status, pa.array(sorted(USABLE)))
    flags = {
        "n_faces_ok": usable,
        "n_images": pc.and_(usable, pc.is_in(faces["role"], pa.array(IMAGE_ROLES))),
        "n_unsure": pc.equal(status, UNSURE),
        "n_passing": pc.equal(status, PASSING),
        "n_as_is": pc.equal(status, AS_IS),
        "size_changes": size_changes(faces),
        "n_tracks": faces["track_id"],
        "n_persons": faces["n_faces"],
    }
    table = pa.table({"clip_id": faces["clip_id"], **{name: _int32(flags[name]) for name in COUNTED}})
    kinds = {"n_tracks": "count_distinct", "n_persons": "max"}
    sums = table.group_by("clip_id", use_threads=False).aggregate(
        [(name, kinds.get(name, "sum")) for name in COUNTED]
    )
    named = sums.rename_columns(["clip_id", *COUNTED])
    return named.cast(pa.schema([("clip_id", pa.string()), *((name, pa.int32()) for name in COUNTED)]))


def told_of_faces(clips: pa.Table) -> dict[str, int]:
    """What people are told of the faces in all clips.

    Args:
        clips: The table ``clips``.

    Returns:
        Frames whose landmarks are not sure (``unsure``), the clips that they are of (``unsure_clips``) and
        those of them that have no other face (``only_unsure``); frames of people who pass by (``passing``)
        and their clips (``passing_clips``); and clips that show several people at once (``several``).
    """
    import pyarrow.compute as pc

    unsure, passing = (clips[name].to_numpy() for name in ("n_unsure", "n_passing"))
    no_other = pc.equal(clips["n_faces_ok"], 0).to_numpy()
    return {
        "unsure": int(unsure.sum()),
        "unsure_clips": int((unsure > 0).sum()),
        "only_unsure": int(((unsure > 0) & no_other).sum()),
        "passing": int(passing.sum()),
        "passing_clips": int((passing > 0).sum()),
        "several": int((clips["n_persons"].to_numpy() > 1).sum()),
    }


def _int32(values: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    import pyarrow as pa

    return values.cast(pa.int32())
