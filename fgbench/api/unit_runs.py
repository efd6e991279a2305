"""Finished runs of action units as values."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from fgbench.api.arguments import path_of
from fgbench.api.runs import reservations
from fgbench.api.showing import paragraph, table

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.networks import Network


class UnitRun:
    """Result of a detector of action units on the test frames of a work folder.

    Attributes:
        name: Name of the experiment, with fold and seed.
        folder: Folder of the run.
    """

    def __init__(self, folder: Path | str) -> None:
        from fgbench.runs.unit_results import read_au_result

        self.folder = path_of("run", folder, example="'my-clips/work/runs/au/0/0'")
        self._result = read_au_result(self.folder)
        self.name = "/".join(self.folder.resolve().parts[-3:])

    @property
    def is_synthetic(self) -> bool:
        """Whether the data set is drawn."""
        return bool(self._result["details"].get("synthetic"))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """F1 and what else the result tells of each unit, a row per unit."""
        import pandas as pd

        return pd.DataFrame(self._result["units"]).set_index("name")

    @property
    def mean_f1(self) -> float | None:
        """Mean F1 over the units that are defined."""
        value: float | None = self._result["mean_f1"]
        return value

    def network(self, *, device: str | None = None) -> Network:
        """Return the trained network; arguments and errors as of :func:`fgbench.load`."""
        from fgbench.api.networks import load

        return load(self.folder, device=device)

    def __repr__(self) -> str:
        value = "undefined" if self.mean_f1 is None else f"{self.mean_f1:.3f}"
        note = "".join(f"; {one}" for one in reservations(self._result["details"]))
        return f"<UnitRun {self.name}: mean F1 {value} over {len(self.scores)} action units{note}>"

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1]) + table(self.scores)
