"""``fgbench.prepare`` and ``fgbench.open``: work folders as values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import (
    fold_of,
    name_of,
    name_or_none,
    path_of,
    path_or_none,
    switch,
    whole,
)
from fgbench.api.divided import Divided
from fgbench.api.inspected import Inspected
from fgbench.api.methods import checked_method
from fgbench.api.outside import Outside
from fgbench.api.progress import LOGGER, Shown, bars, log, shown_as
from fgbench.api.reported import Reported
from fgbench.api.runs import SYNTHETIC, Run, runs_of
from fgbench.api.settings import changes_of_pairs
from fgbench.api.showing import paragraph, table
from fgbench.api.unit_runs import UnitRun
from fgbench.errors import ConfigError, DependencyError, ManifestError
from fgbench.naming import counted
from fgbench.records import SPLITS
from fgbench.workfolders.layout import RUNS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    import pandas as pd

    from fgbench.publication.face_tables.export import FaceTables


class Work(Inspected, Divided, Reported, Outside):
    """A prepared work folder: clips, faces, pictures, runs. See :func:`fgbench.open` and
    :func:`fgbench.prepare`.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = path_of("workdir", path, example="fgbench-data/my-clips/work")
        self._index = read_index(self.path)

    @property
    def name(self) -> str:
        """Name of the data set."""
        return str(self._index["dataset"])

    @property
    def is_synthetic(self) -> bool:
        """Whether the data set is drawn."""
        return bool(self._index["synthetic"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of probabilities; empty where there are none."""
        from fgbench.runs.labels import read_labels

        return read_labels(self._index).labels if self._index.get("classes", True) else ()

    @property
    def ledger(self) -> pd.DataFrame:
        """A row per reading of the test part by an evaluation, in their order.

        Time (UTC), run, command, digests of configuration, samples and predictions, and the hash; see
        :class:`fgbench.runs.ledger.chain.Reading`.

        Faults of the chain of hashes are logged as warnings.
        """
        from dataclasses import asdict, fields

        import pandas as pd

        from fgbench.runs.ledger.chain import LEDGER, Reading, read_ledger

        ledger = read_ledger(self.path)
        for fault in ledger.faults:
            LOGGER.warning("%s: %s", self.path / LEDGER, fault)
        columns = [field.name for field in fields(Reading)]
        return pd.DataFrame([asdict(reading) for reading in ledger.readings], columns=columns)

    def export_faces(
        self,
        layout: str,
        out: str | os.PathLike[str] | None = None,
        *,
        units: str | None = None,
        progress: Shown = None,
    ) -> FaceTables:
        """Write boxes, landmarks, poses and action units as tables of another program, as ``fgbench export
        faces`` does: a CSV file per clip, a row per sampled frame.

        Args:
            layout: ``"openface"`` (OpenFace 2.2, ``FeatureExtraction -2Dfp -pose -aus``; radians in the axes
                of the camera) or ``"fex"`` (py-feat 2.1; radians, yaw and roll to the subject's right).
                Landmarks are in px of the upright frame in both.
            out: Folder to write: new, empty, or written by an earlier export in this layout; ``None``:
                ``faces-<layout>`` beside the work folder.
            units: Run of action units whose probabilities are written; ``None``: labels of the data set.
            progress: Whether bars are shown; ``None``: in terminals and notebooks.

        Returns:
            The folder, and how many clips, frames and faces it holds.

        Raises:
            ConfigError: If there is no such layout, the faces have no 68 landmarks, or the folder holds
                something else, which is left alone.
            ManifestError: If manifests or predictions are missing or damaged.
            ResourceError: If the tables cannot be written.
        """
        from fgbench.api.exporting import export_faces

        return export_faces(self.path, layout, out, units=units, progress=progress)

    def train(
        self,
        method: str,
        recipe: str | os.PathLike[str] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        device: str | None = None,
        seed: int = 0,
        seeds: int = 1,
        fold: str | int | None = None,
        weights: str | os.PathLike[str] | None = None,
        jobs: int = 1,
        resume: bool = True,
        force: bool = False,
        progress: Shown = None,
    ) -> Any:
        """Run a method, what it is made of first (action units, image model, features), and return its run.

        A run that is there already is returned as it is; one that was interrupted is continued.

        Args:
            method: ``"msau"``, ``"tmsau"``, ``"au"``, ``"lbp-svm"``, ``"dense-traj-svm"``, ``"plain-cnn"``,
                ``"nan"``, ..., or a method of another package.
            recipe: Packed recipe or path of a YAML file; ``None``: the paper's on a GPU, else the small one
                where there is one, which the log says.
            settings: Settings of the recipe to change, e.g. ``{"optimiser.epochs": 3}``.
            device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``None``: a GPU if there is one.
            seed: Of the run, or of the first of several.
            seeds: How many to run, each with networks of its own all through.
            fold: The fold to run; ``None`` for all.
            weights: To start from, for methods that take any.
            jobs: Processes, or threads that decode.
            resume: Whether an interrupted run is continued.
            force: Whether a finished one is made again.
            progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is
                called with a name, the number done, and the total.

        Returns:
            A :class:`Run` over all folds and seeds, a :class:`UnitRun` of action units; a list of them where
            the recipe makes several experiments (``msau-progressive``), or several folds or seeds of action
            units.

        Raises:
            ConfigError: If there is no such method, recipe, device or fold, or a number is out of range.
            DatasetError: If a class has no training sample.
            DependencyError: If a package that the method needs is not installed.
            ManifestError: If the manifests are damaged.
            ResourceError: If memory or disk are full.
        """
        from fgbench.methods.steps.by_name import UNITS, has_small, run_method
        from fgbench.methods.steps.recipe_choice import recipe_for

        method = checked_method(method)
        name = name_or_none("recipe", recipe, example="recipe='msau-small', or the path of a YAML file")
        changes = changes_of_pairs("settings", settings)
        device = name_or_none("device", device, example="device='cpu'")
        fold = fold_of(fold)
        seed, seeds = whole("seed", seed, least=0), whole("seeds", seeds, least=1)
        jobs = whole("jobs", jobs, least=1)
        start = path_or_none("weights", weights, example="weights='backbone.pth'")
        resume, force = switch("resume", resume), switch("force", force)
        if name is None and has_small(method):
            name, why = recipe_for(method, device, is_embedded=False)
            log(why)
        with bars(shown_as(progress)) as update, _packages_named(method):
            folders = run_method(
                method,
                self.path,
                recipe=name,
                weights=start,
                changes=changes,
                device=device,
                fold=fold,
                seed=seed,
                seeds=seeds,
                jobs=jobs,
                resume=resume,
                force=force,
                progress=update,
                note=log,
            )
        runs = [UnitRun(folder) for folder in folders] if method == UNITS else runs_of(folders)
        return runs[0] if len(runs) == 1 else runs

    @property
    def runs(self) -> list[Run | UnitRun]:
        """Every finished run, by name; those of one experiment (its folds and seeds) together.

        Damaged ones are left out, and named in the log.
        """
        from fgbench.runs.results import RESULT
        from fgbench.runs.unit_results import RESULT as UNIT_RESULT

        folder = self.path / RUNS
        names = sorted({path.parents[2].name for path in folder.glob(f"*/*/*/{RESULT}")})
        units = sorted(path.parent for path in folder.glob(f"*/*/*/{UNIT_RESULT}"))
        runs: list[Run | UnitRun] = []
        for kind, folders in ((Run.of, [folder / name for name in names]), (UnitRun, units)):
            for one in folders:
                try:
                    runs.append(kind(one))
                except ManifestError as error:
                    LOGGER.warning("%s is left out: %s", one, error.message)
        return runs

    def run(self, name: str) -> Run | UnitRun:
        """Return a finished run.

        Args:
            name: Of the experiment, e.g. ``"lbp-svm"``: all its folds and seeds together; or
                ``experiment/fold/seed``.

        Raises:
            ConfigError: If an experiment of action units has several folds or seeds, and none is named.
            ManifestError: If there is none, or it is damaged.
        """
        from fgbench.runs.unit_results import RESULT as UNIT_RESULT

        name = name_of("run", name, example="work.run('lbp-svm')")
        try:
            return Run.of(name, self.path)
        except ConfigError:  # of action units
            folder = self.path / RUNS / name
            own = [UNIT_RESULT, f"*/*/{UNIT_RESULT}"]
            folders = sorted(path.parent for pattern in own for path in folder.glob(pattern))
            if not folders:
                raise
            if len(folders) > 1:
                names = ", ".join("/".join(one.parts[-3:]) for one in folders)
                raise ConfigError(
                    f"{name} is {len(folders)} runs of action units, expected one", f"name one of {names}"
                ) from None
            return UnitRun(folders[0])

    def __repr__(self) -> str:
        parts = self.clips["split"].tolist()
        counts = ", ".join(f"{parts.count(part)} {part}" for part in SPLITS if part in parts)
        if self._division.n_folds:
            counts = counted(self._division.n_folds, "fold")
        note = f"; {SYNTHETIC}" if self.is_synthetic else ""
        return f"<Work {self.name}: {len(self.clips)} clips ({counts}), {len(self.classes)} classes{note}>"

    def _repr_html_(self) -> str:
        columns = "fold" if self._division.n_folds else "split"
        counts = self.clips.pivot_table(
            index="label", columns=columns, values="clip_id", aggfunc="count", fill_value=0
        )
        return f"{paragraph(repr(self)[1:-1])}{table(counts)}"


@contextmanager
def _packages_named(method: str) -> Iterator[None]:
    """Context in which a package that is not installed is told as what a method needs.

    Raises:
        DependencyError: If one is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "fgbench").split(".")[0] == "fgbench":
            raise
        raise DependencyError(
            f"{method} needs a package that is not installed ({error.name})", "pip install 'fgbench[train]'"
        ) from error


def open_work(workdir: str | os.PathLike[str]) -> Work:
    """Return a prepared work folder.

    Args:
        workdir: The folder, e.g. ``fgbench-data/my-clips/work``.

    Raises:
        ManifestError: If it has no manifests, or they are damaged.
        ResourceError: If it may not be read.
    """
    return Work(workdir)


def prepare(
    data: str | os.PathLike[str] | None = None,
    recipe: str | os.PathLike[str] | None = None,
    *,
    settings: Mapping[str, Any] | None = None,
    workdir: str | os.PathLike[str] | None = None,
    jobs: int | None = None,
    force: bool = False,
    retry: bool = False,
    verify: bool = False,
    drop_leaks: bool = False,
    decoder: str | None = None,
    worker_memory_gb: float | None = None,
    progress: Shown = None,
) -> Work:
    """Turn clips and annotations into a work folder, as ``fgbench prepare`` does; what is done is not done
    again.

    Args:
        data: Folder of the data set; ``None``: the embedded synthetic one, drawn if absent, or where
            ``recipe`` is of a public data set, its folder below ``FGBENCH_DATA``.
        recipe: Packed recipe or path of a YAML file; ``None``: ``default``, or ``demo`` for the embedded set.
        settings: Settings of the recipe to change, e.g. ``{"split.seed": 1}``.
        workdir: Work folder; ``None``: ``fgbench-data/<recipe or folder>/work``.
        jobs: Worker processes; ``None``: one per core.
        force: Whether everything is computed anew.
        retry: Whether clips are tried again that failed for a reason that may have passed, e.g. lack of
            memory.
        verify: Whether all source files are hashed, also those with size and time as before.
        drop_leaks: Whether clips are taken out of training and validation that leak into another part.
        decoder: Video decoder in place of the recipe's, ``"pyav"`` or ``"decord"``.
        worker_memory_gb: Most memory of each worker, GB (Linux); ``None``: as the recipe says.
        progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is called
            with a name, the number done, and the total.

    Returns:
        The work folder; what needs a person is logged as warnings.

    Raises:
        ConfigError: If the recipe is not valid, or the work folder is of other data.
        DatasetError: If the data set's layout is wrong.
        RejectRateError: If more clips are rejected than the recipe allows.
        ResourceError: If memory or disk are full, or another process works in the folder.
        WorkerError: If a worker process dies.
    """
    from fgbench.api.preparing import log_report, preparation

    chosen = preparation(
        name_or_none("recipe", recipe, example="recipe='default', or the path of a YAML file"),
        path_or_none("data", data, example="data='my-clips'"),
        path_or_none("workdir", workdir, example="workdir='fgbench-data/my-clips/work'"),
        changes=changes_of_pairs("settings", settings),
        decoder=name_or_none("decoder", decoder, example="decoder='pyav'"),
        drop_leaks=switch("drop_leaks", drop_leaks),
    )
    jobs = None if jobs is None else whole("jobs", jobs, least=1)
    with bars(shown_as(progress)) as update:
        chosen.draw(jobs=jobs, progress=update)
        report = chosen.run(
            jobs=jobs,
            force=switch("force", force),
            retry=switch("retry", retry),
            verify=switch("verify", verify),
            worker_memory_gb=worker_memory_gb,
            progress=update,
        )
    log_report(report)
    return Work(chosen.workdir)
