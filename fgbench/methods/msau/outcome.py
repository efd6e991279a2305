"""Tables of a network's predictions by scale, and of its regions, beside the probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fgbench import storage
from fgbench.methods.msau.task import Predicted

BRANCHES = "branches.parquet"
REGIONS = "regions.parquet"


def write_branches(folder: Path, sample_ids: Sequence[str], branches: npt.NDArray[np.float32]) -> None:
    """Write ``branches.parquet``: one row per sample and scale (0: the whole face).

    Args:
        folder: Folder of the run.
        sample_ids: N ids.
        branches: (N, S, K) probabilities.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    n, scales, classes = branches.shape
    columns = {
        "sample_id": [name for name in sample_ids for _ in range(scales)],
        "branch": list(range(scales)) * n,
        "probabilities": list(branches.reshape(-1, classes)),
    }
    schema = pa.schema(
        [
            ("sample_id", pa.string()),
            ("branch", pa.int16()),
            ("probabilities", pa.list_(pa.float32(), classes)),
        ]
    )
    storage.write_table(folder / BRANCHES, pa.table(columns, schema=schema))


def write_regions(folder: Path, sample_ids: Sequence[str], predicted: Predicted) -> None:
    """Write ``regions.parquet``: one row per sample and region (rank 0: the strongest).

    Args:
        folder: Folder of the run.
        sample_ids: N ids.
        predicted: Predictions of these samples; boxes in px of the 224 px face.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    import pyarrow as pa

    n, regions = predicted.strength.shape
    columns = {
        "sample_id": [name for name in sample_ids for _ in range(regions)],
        "rank": list(range(regions)) * n,
        "box": list(predicted.boxes.reshape(-1, 4)),
        "cell": list(predicted.cells.reshape(-1, 2).astype(np.int16)),
        "strength": predicted.strength.ravel(),
    }
    schema = pa.schema(
        [
            ("sample_id", pa.string()),
            ("rank", pa.int16()),
            ("box", pa.list_(pa.float32(), 4)),
            ("cell", pa.list_(pa.int16(), 2)),
            ("strength", pa.float32()),
        ]
    )
    storage.write_table(folder / REGIONS, pa.table(columns, schema=schema))
