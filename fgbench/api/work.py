"""``fgbench.prepare`` and ``fgbench.open``: work folders as values."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.images import Images, check_part
from fgbench.api.inspected import Inspected
from fgbench.api.progress import LOGGER, Shown, bars, log
from fgbench.api.runs import SYNTHETIC, Run, UnitRun, runs_of
from fgbench.errors import ConfigError, DependencyError, ManifestError
from fgbench.records import SPLITS
from fgbench.workfolders.layout import MANIFESTS, RUNS
from fgbench.workfolders.manifest_index import read_index

if TYPE_CHECKING:
    import pandas as pd

_PICTURE = "image"


class Work(Inspected):
    """A prepared work folder: clips, faces, pictures, runs. See :func:`fgbench.open` and
    :func:`fgbench.prepare`.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
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

        return read_labels(self._index).labels if self._index["classes"] else ()

    @cached_property
    def clips(self) -> pd.DataFrame:
        """A row per clip: id, path, label, person, part, and what was measured (table ``clips`` of the
        manifests)."""
        return self._table([self.path / MANIFESTS / "clips.parquet"])

    def faces(self, part: str | None = None, *, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return a row per sampled frame: status, box, landmarks, pose (table ``faces``), and the label of
        its clip.

        Args:
            part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
            columns: Those wanted; ``None`` for all but the aligned face itself (``image``, encoded).

        Raises:
            ConfigError: If there is no such part or column.
            ManifestError: If the manifests are missing or damaged.
        """
        check_part(part)
        if isinstance(columns, str):
            columns = [columns]
        files = sorted((self.path / MANIFESTS / "faces").glob("*.parquet"))
        rows = self._table(files, columns)
        own = self.clips.set_index("clip_id")
        clip_ids = rows["clip_id"] if "clip_id" in rows else self._table(files, ["clip_id"])["clip_id"]
        rows = rows.assign(label=clip_ids.map(own["label"]), split=clip_ids.map(own["split"]))
        return rows if part is None else rows[rows["split"] == part].reset_index(drop=True)

    def images(self, part: str | None = None, *, copies: bool = False) -> Images:
        """Return the image set of a part: aligned pictures as arrays, read as they are asked for.

        Args:
            part: ``"train"``, ``"val"`` or ``"test"``; ``None`` for all.
            copies: Whether augmented copies of training pictures are among them.

        Raises:
            ConfigError: If there is no such part.
            ManifestError: If the manifests are missing or damaged.
        """
        return Images(self.path / MANIFESTS, part, copies=copies)

    @cached_property
    def rejects(self) -> pd.DataFrame:
        """A row per clip that could not be used: stage, reason, detail."""
        return self._table([self.path / MANIFESTS / "rejects.parquet"])

    def _table(self, files: Sequence[Path], columns: Sequence[str] | None = None) -> pd.DataFrame:
        import pandas as pd
        import pyarrow.parquet as pq

        from fgbench.storage import read_table

        if not files:
            raise ManifestError(f"{self.path / MANIFESTS} has no such table", "run fgbench prepare")
        tables = []
        for path in files:
            wanted = columns
            if path.exists():
                there = pq.read_schema(path).names
                if unknown := [name for name in columns or () if name not in there]:
                    raise ConfigError(f"no column {unknown[0]!r}", f"there are: {', '.join(there)}")
                wanted = [name for name in there if name != _PICTURE] if columns is None else columns
            tables.append(read_table(path, None if wanted is None else list(wanted)).to_pandas())
        joined: pd.DataFrame = pd.concat(tables, ignore_index=True)
        return joined

    def train(
        self,
        method: str,
        recipe: str | os.PathLike[str] | None = None,
        *,
        settings: Mapping[str, Any] | None = None,
        device: str | None = None,
        seed: int = 0,
        seeds: int = 1,
        fold: str | None = None,
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

        if not isinstance(method, str):
            raise ConfigError(f"no method {method!r}", "name one, e.g. 'lbp-svm'")
        for what, number, least in (("seed", seed, 0), ("seeds", seeds, 1), ("jobs", jobs, 1)):
            if not isinstance(number, int) or number < least:
                raise ConfigError(f"{what} {number!r}, expected a whole number from {least} on", "e.g. 1")
        name = None if recipe is None else os.fspath(recipe)
        if name is None and has_small(method):
            name, why = recipe_for(method, device, is_embedded=False)
            log(why)
        with bars(progress) as update, _packages_named(method):
            folders = run_method(
                method,
                self.path,
                recipe=name,
                weights=None if weights is None else Path(weights),
                changes=_changes(settings),
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
        found: list[Run | UnitRun] = []
        for kind, folders in ((Run.of, [folder / name for name in names]), (UnitRun, units)):
            for one in folders:
                try:
                    found.append(kind(one))
                except ManifestError as error:
                    LOGGER.warning("%s is left out: %s", one, error.message)
        return found

    def run(self, name: str) -> Run | UnitRun:
        """Return a finished run.

        Args:
            name: Of the experiment, e.g. ``"lbp-svm"``, or ``experiment/fold/seed``.

        Raises:
            ConfigError: If an experiment of action units has several folds or seeds, and none is named.
            ManifestError: If there is none, or it is damaged.
        """
        from fgbench.runs.unit_results import RESULT as UNIT_RESULT

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
        note = f"; {SYNTHETIC}" if self.is_synthetic else ""
        return f"<Work {self.name}: {len(self.clips)} clips ({counts}), {len(self.classes)} classes{note}>"

    def _repr_html_(self) -> str:
        counts = self.clips.pivot_table(
            index="label", columns="split", values="clip_id", aggfunc="count", fill_value=0
        )
        return f"<p>{escape(repr(self)[1:-1])}</p>{counts.to_html(border=0)}"


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
        None if recipe is None else os.fspath(recipe),
        None if data is None else Path(data),
        None if workdir is None else Path(workdir),
        changes=_changes(settings),
        decoder=decoder,
        drop_leaks=drop_leaks,
    )
    with bars(progress) as update:
        chosen.draw(jobs=jobs, progress=update)
        report = chosen.run(
            jobs=jobs,
            force=force,
            retry=retry,
            verify=verify,
            worker_memory_gb=worker_memory_gb,
            progress=update,
        )
    log_report(report)
    return Work(chosen.workdir)


def _changes(settings: Mapping[str, Any] | None) -> list[str]:
    """Return settings as the command line takes them; JSON is YAML."""
    return [f"{key}={json.dumps(value)}" for key, value in (settings or {}).items()]
