"""The difference of two methods as a value: with its interval, and a paired test."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from fgbench.api.showing import paragraph, table
from fgbench.evaluation.cluster_counts import ClusterCounts
from fgbench.evaluation.clusters import LEAST
from fgbench.evaluation.paired import method_test, paired_interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A method against another, both on the same samples: the second minus the first.

    Attributes:
        first: Name of the first.
        second: Name of the second.
        difference: Difference in UAR.
        low: Lower end of its 95 % interval by whole clusters; NaN with fewer than five.
        high: Upper end.
        p: p-value: of the sign-flip permutation over clusters of two single runs; over clusters and seeds
            where one has several seeds.
        n: Samples that both share.
        notes: What has to be said of the two, e.g. that another program predicted one.
    """

    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    n: int
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        interval = "" if math.isnan(self.low) else f" ({self.low:.3f} to {self.high:.3f})"
        notes = "; see its notes" if self.notes else ""
        return (
            f"<Compared: UAR of {self.second} minus {self.first} {self.difference:+.3f}{interval}, "
            f"p {self.p:.3g}, {self.n} samples{notes}>"
        )

    def _repr_html_(self) -> str:
        import pandas as pd

        names = ("first", "second", "difference", "low", "high", "p", "n")
        shown = {name: [getattr(self, name)] for name in names} | {"p": [f"{self.p:.3g}"]}
        return table(pd.DataFrame(shown), index=False) + "".join(map(paragraph, self.notes))


def compared(
    first: tuple[str, Sequence[ClusterCounts]],
    second: tuple[str, Sequence[ClusterCounts]],
    *,
    n: int,
    notes: Sequence[str] = (),
) -> Compared:
    """Return the comparison of two methods by name and counts of each seed.

    Args:
        first: The method that is taken away.
        second: The other one, on the same samples and clusters.
        n: Number of samples.
        notes: What has to be said of them.

    Raises:
        DatasetError: If there are fewer than two clusters.
    """
    gap = paired_interval(second[1], first[1], metric="uar")
    has_ends = len(first[1][0].names) >= LEAST
    return Compared(
        first=first[0],
        second=second[0],
        difference=gap.estimate,
        low=gap.low if has_ends else math.nan,
        high=gap.high if has_ends else math.nan,
        p=method_test(second[1], first[1]).p,
        n=n,
        notes=tuple(notes),
    )
