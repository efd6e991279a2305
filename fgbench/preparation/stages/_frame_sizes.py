"""Changes of the frame size within clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fgbench.faces.status import NOT_DECODED

if TYPE_CHECKING:
    import pyarrow as pa


def size_changes(faces: pa.Table) -> pa.Array:
    """1 for each row whose frame was stored in another size than the previous one of its clip, else 0.

    Frames that were not decoded are skipped.

    Args:
        faces: Columns ``clip_id``, ``status`` and ``resized_from`` of ``faces``, in their order.

    Returns:
        int32, one per row.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    changed = np.zeros(faces.num_rows, np.int32)
    resized = faces["resized_from"]
    if resized.null_count < faces.num_rows:
        decoded = np.flatnonzero(pc.not_equal(faces["status"], NOT_DECODED).to_numpy())
        clips = faces["clip_id"].combine_chunks().dictionary_encode().indices.to_numpy()[decoded]
        sides = [pc.fill_null(pc.list_element(resized, side), 0).to_numpy()[decoded] for side in (0, 1)]
        differ = np.any([side[1:] != side[:-1] for side in sides], axis=0)
        changed[decoded[1:]] = differ & (clips[1:] == clips[:-1])
    return pa.array(changed, pa.int32())
