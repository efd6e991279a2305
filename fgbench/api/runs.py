"""Finished runs as values: scores, predictions, confusions."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from fgbench.errors import ManifestError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import Metric
from fgbench.reports.comparison.contenders import Contender, contender, find_contender
from fgbench.reports.experiments import read_experiment

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.networks import Network
    from fgbench.api.scoring import Compared

SYNTHETIC = "SYNTHETIC data, drawn faces: says nothing of real ones"


class Run:
    """Predictions of one method for the test samples of a work folder, over all its folds and seeds.

    Attributes:
        name: Name of the experiment, with fold and seed where one run alone is meant.
        folders: Folders of its runs, ``runs/<experiment>/<fold>/<seed>``.
    """

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self.name = contender.name
        self.folders = contender.folders

    @classmethod
    def of(cls, folder: Path | str, workdir: Path | str = ".") -> Run:
        """Return the run of a folder, or of a name below a work folder.

        Raises:
            ConfigError: If it is a run of action units.
            ManifestError: If there is none, or it is damaged.
        """
        return cls(find_contender(str(folder), Path(workdir)))

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of the probabilities."""
        return self._contender.classes

    @property
    def settings(self) -> dict[str, Any]:
        """All settings of the first of its runs."""
        import yaml

        from fgbench.runs.results import CONFIG

        config: dict[str, Any] = yaml.safe_load((self.folders[0] / CONFIG).read_text(encoding="utf-8"))
        return config

    @property
    def is_synthetic(self) -> bool:
        """Whether the data set is drawn."""
        return bool(self._contender.details.get("synthetic"))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Scores of all classes together, one row each: UAR (the paper's accuracy), WAR and macro F1.

        Columns: ``mean`` over the seeds, ``sd`` (NaN of one seed), ``low`` and ``high`` of the 95 % interval
        by whole subjects (else sources, else clips; NaN with fewer than five).
        """
        import pandas as pd

        rows = {}
        for metric in get_args(Metric):
            values = [getattr(metrics, metric)(one.confusion()) for one in self._contender.seeds]
            interval = self._contender.interval(metric)
            rows[metric] = {
                "mean": pd.Series(values).mean(),
                "sd": pd.Series(values).std(),
                "low": float("nan") if interval is None else interval.low,
                "high": float("nan") if interval is None else interval.high,
            }
        return pd.DataFrame.from_dict(rows, orient="index")

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """Means over the seeds of recall (the paper's accuracy of a class), precision and F1, a row per
        class; and the number of test samples."""
        import pandas as pd

        tables = []
        for one in self._contender.seeds:
            scored = metrics.scores(one.confusion(), one.classes)
            rows = {
                entry.label: {
                    "n": entry.n,
                    "recall": entry.recall,
                    "precision": entry.precision,
                    "f1": entry.f1,
                }
                for entry in scored.classes
            }
            tables.append(pd.DataFrame.from_dict(rows, orient="index").astype(float))
        means = pd.concat(tables).groupby(level=0, sort=False).mean()
        return means.astype({"n": int})

    @cached_property
    def confusion(self) -> pd.DataFrame:
        """Test samples per true (rows) and predicted class (columns), summed over the seeds; the last column
        counts samples without prediction."""
        import pandas as pd

        counts = sum(one.confusion() for one in self._contender.seeds)
        columns = [*self.classes, "no prediction"]
        return pd.DataFrame(counts, index=pd.Index(self.classes, name="true"), columns=columns)

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """A row per seed and test sample: ids, ``label``, ``predicted`` (missing where there is none), and a
        column of probability per class."""
        import pandas as pd

        tables = []
        for seed, one in zip(self._contender.experiment.seeds, self._contender.seeds, strict=True):
            ids = {
                "seed": seed,
                "sample_id": one.sample_ids,
                "clip_id": one.clip_ids,
                "subject_id": one.subject_ids,
                "source_id": one.source_ids,
                "label": one.labels,
                "predicted": one.predicted,
            }
            shares = pd.DataFrame(one.probabilities, columns=[f"p({name})" for name in one.classes])
            tables.append(pd.concat([pd.DataFrame(ids), shares], axis=1))
        return pd.concat(tables, ignore_index=True)

    def compared_with(self, other: Run) -> Compared:
        """Return another run against this one, see :func:`fgbench.compare`."""
        from fgbench.api.scoring import compared
        from fgbench.reports.comparison.compared import compare

        comparison = compare([self._contender, other._contender])
        first, second = comparison.contenders
        counts = [one.counts(first.classes) for one in (first, second)]
        return compared((self.name, counts[0]), (other.name, counts[1]), n=comparison.n_samples)

    def network(self, *, device: str | None = None) -> Network:
        """Return the trained network of the first of its runs; arguments and errors as of
        :func:`fgbench.load`."""
        from fgbench.api.networks import load

        return load(self.folders[0], device=device)

    def __repr__(self) -> str:
        n, seeds = len(self._contender.seeds[0].sample_ids), len(self._contender.seeds)
        row = self.scores.loc["uar"]
        spread = f" ± {row['sd']:.3f} over {seeds} seeds" if seeds > 1 else ""
        interval = (
            f", 95 % interval {row['low']:.3f} to {row['high']:.3f}" if row["low"] == row["low"] else ""
        )
        note = f"; {SYNTHETIC}" if self.is_synthetic else ""
        return (
            f"<Run {self.name}: UAR {row['mean']:.3f}{spread}{interval}, {n} test samples, "
            f"{len(self.classes)} classes{note}>"
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>{self.scores.round(3).to_html(border=0)}"


class UnitRun:
    """Predictions of a detector of action units for the test frames of a work folder.

    Attributes:
        name: Name of the experiment, with fold and seed.
        folder: Folder of the run.
    """

    def __init__(self, folder: Path | str) -> None:
        from fgbench.runs.unit_results import read_au_result

        self.folder = Path(folder)
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
        note = f"; {SYNTHETIC}" if self.is_synthetic else ""
        return f"<UnitRun {self.name}: mean F1 {value} over {len(self.scores)} action units{note}>"

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self)[1:-1])}</p>{self.scores.round(3).to_html(border=0)}"


def runs_of(folders: Sequence[Path]) -> list[Run]:
    """Return the runs of folders: those of one experiment together.

    Raises:
        ManifestError: If one is missing or damaged.
    """
    runs = []
    for experiment in dict.fromkeys(folder.parent.parent for folder in folders):
        own = [folder for folder in folders if folder.parent.parent == experiment]
        if len(own) == 1:
            runs.append(Run.of(own[0]))
            continue
        read = read_experiment(experiment)
        if read is None:
            raise ManifestError(f"{experiment} has no finished run", "run the experiment again")
        runs.append(Run(contender(read)))
    return runs
