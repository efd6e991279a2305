"""Finished runs as values: scores, predictions, confusions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from fgbench.api.arguments import one_of, path_of, shown
from fgbench.api.report_values import Figure, Table
from fgbench.api.showing import paragraph, table
from fgbench.errors import ConfigError
from fgbench.evaluation import metrics
from fgbench.evaluation.cluster_counts import Metric
from fgbench.reports.comparison.contenders import Contender, find_contender
from fgbench.runs.other_programs import outside_note
from fgbench.runs.results import SINGLE_FOLD

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.api.differences import Compared
    from fgbench.api.networks import Network

SYNTHETIC = "SYNTHETIC data, drawn faces: says nothing of real ones"


def reservations(details: Mapping[str, Any]) -> list[str]:
    """Return clauses on what a run does not say: of real faces, of a method whose training is known.

    Args:
        details: Details of its result.
    """
    return [*([SYNTHETIC] if details.get("synthetic") else []), *filter(None, [outside_note(details)])]


class Run:
    """Predictions of one method for the test samples of a work folder, over all its folds and seeds.

    Attributes:
        name: Name of the experiment, with fold and seed where one run alone is meant.
        folders: Folders of its runs, ``runs/<experiment>/<fold>/<seed>``.
    """

    def __init__(self, contender: Contender) -> None:
        if not isinstance(contender, Contender):
            raise ConfigError("a run is made of its folder", "e.g. fgbench.Run.of(folder), or work.run(name)")
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
        name = path_of("run", folder, example="'lbp-svm'")
        return cls(find_contender(str(name), path_of("workdir", workdir, example="work.path")))

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
        """A row per seed and test sample, of all folds: ids, ``label``, ``predicted`` (missing where there is
        none), and a column of probability per class; of data sets of k folds also ``fold``, in which the
        sample is tested."""
        import pandas as pd

        folds = self._folds
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
            if folds:
                ids |= {"fold": [folds[seed, sample_id] for sample_id in one.sample_ids]}
            shares = pd.DataFrame(one.probabilities, columns=[f"p({name})" for name in one.classes])
            tables.append(pd.concat([pd.DataFrame(ids), shares], axis=1))
        return pd.concat(tables, ignore_index=True)

    @property
    def _folds(self) -> dict[tuple[int, str], str]:
        """Fold in which a sample of a seed was tested; empty where there is one fold alone."""
        runs = self._contender.experiment.runs
        if {run.fold for run in runs} == {SINGLE_FOLD}:
            return {}
        return {(run.seed, sample_id): run.fold for run in runs for sample_id in run.predictions().sample_ids}

    def compared_with(self, other: Run) -> Compared:
        """Return another run against this one, see :func:`fgbench.compare`.

        Raises:
            ConfigError: If it is no run of classes, or the same.
            DatasetError: As :func:`fgbench.compare`.
        """
        if not isinstance(other, Run):
            raise ConfigError(f"{shown(other)} to compare with, expected a run", "e.g. work.run('lbp-svm')")
        from fgbench.api.differences import compared
        from fgbench.reports.comparison.compared import compare

        comparison = compare([self._contender, other._contender])
        first, second = comparison.contenders
        counts = [one.counts(first.classes) for one in (first, second)]
        drawn = [f"{SYNTHETIC}."] if self.is_synthetic or other.is_synthetic else []
        notes = dict.fromkeys([*drawn, *first.fairness_notes, *second.fairness_notes])
        names = ((self.name, counts[0]), (other.name, counts[1]))
        return compared(*names, n=comparison.n_samples, notes=[*notes])

    def figure(self, name: str = "confusion") -> Figure:
        """Return a figure of the run, its folds and seeds joined.

        Args:
            name: ``"confusion"``, shares of the samples of each true class; or ``"reliability"``, accuracy by
                how sure predictions are.

        Raises:
            ConfigError: If there is no such figure.
        """
        from fgbench.reports.run.figures import reliability_figure, run_figures

        which = one_of("figure", name, ("confusion", "reliability"))
        if which == "reliability":
            return Figure(reliability_figure(self._contender))
        return Figure(run_figures(self._contender)[1])

    @property
    def tables(self) -> list[Table]:
        """Tables on the run: scores with intervals, errors in the class tree, calibration, coverage, the
        largest confusions.

        Raises:
            ManifestError: If the manifests are damaged.
        """
        from fgbench.reports.run.sheet import sheet_tables

        return [Table(one) for one in sheet_tables(self._contender)]

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
        note = "".join(f"; {one}" for one in reservations(self._contender.details))
        return (
            f"<Run {self.name}: UAR {row['mean']:.3f}{spread}{interval}, {n} test samples, "
            f"{len(self.classes)} classes{note}>"
        )

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1]) + table(self.scores)
