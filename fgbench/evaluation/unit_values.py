"""Values that annotators gave units, flat in arrays, and those of them that can be compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class UnitValues:
    """V values of U units.

    Attributes:
        values: (V,) numbers, or indices of labels.
        units: (V,) index of the unit of each, 0 to U - 1, ascending.
        clusters: (U,) index of the cluster of each unit.
    """

    values: npt.NDArray[Any]
    units: Indices
    clusters: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparable:
    """The units with at least two values.

    Attributes:
        values: (V,) their values.
        units: (V,) index of the unit of each, 0 to U - 1.
        sizes: (U,) number of values of each unit.
        clusters: (U,) index of its cluster, 0 to G - 1, in the order that the clusters had.
        n_clusters: G.
    """

    values: npt.NDArray[Any]
    units: Indices
    sizes: Indices
    clusters: Indices
    n_clusters: int


def of_lists(
    units: Sequence[Sequence[Any]], clusters: Sequence[str], kind: type[np.int64 | np.float64]
) -> UnitValues:
    """Values of a list for each unit.

    Args:
        units: Values of each unit.
        clusters: Cluster of each unit.
        kind: Type of the values.

    Raises:
        ValueError: If there are not as many clusters as units.
    """
    if len(clusters) != len(units):
        raise ValueError(f"{len(clusters)} clusters of {len(units)} units, expected one per unit")
    number = {name: index for index, name in enumerate(sorted(set(clusters)))}
    return UnitValues(
        values=np.array([value for of_unit in units for value in of_unit], kind),
        units=np.repeat(np.arange(len(units)), np.array([len(one) for one in units], np.int64)),
        clusters=np.array([number[name] for name in clusters], np.int64),
    )


def comparable(given: UnitValues) -> Comparable:
    """The units with at least two values, in their order."""
    sizes = np.bincount(given.units, minlength=len(given.clusters)).astype(np.int64)
    kept = sizes > 1
    rows = kept[given.units]
    different, clusters = np.unique(given.clusters[kept], return_inverse=True)
    return Comparable(
        values=given.values[rows],
        units=(np.cumsum(kept) - 1)[given.units[rows]],
        sizes=sizes[kept],
        clusters=clusters.astype(np.int64),
        n_clusters=len(different),
    )


def cluster_sums(
    rows: npt.NDArray[np.float64], clusters: Indices, n_clusters: int
) -> npt.NDArray[np.float64]:
    """Sums (G, K) of rows (U, K) by their cluster, each added in the order of the rows."""
    sums = np.empty((n_clusters, rows.shape[1]))
    for column in range(rows.shape[1]):
        sums[:, column] = np.bincount(clusters, rows[:, column], n_clusters)
    return sums
