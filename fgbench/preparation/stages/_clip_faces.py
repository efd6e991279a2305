"""Counts of faces per clip, from the rows of its frames."""

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
"""Columns of ``clips``, and a temporary last one, counted from the clip's rows of ``faces``."""


def counts_per_clip(path: Path) -> pa.Table:
    """Count :data:`COUNTED` for each clip of a table of faces.

    ``n_tracks`` counts the numbers of tracks; ``n_persons`` is the largest number of faces that were seen at
    once, so that one person who is lost and seen again counts as one.

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


def face_counts(clips: pa.Table) -> dict[str, int]:
    """Counts of unsure and passing faces over all clips.

    Args:
        clips: The table ``clips``.

    Returns:
        Frames with uncertain landmarks (``unsure``), the clips that they are of (``unsure_clips``) and
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
