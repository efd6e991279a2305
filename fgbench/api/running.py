"""Methods run in a work folder, ``work.train``, with what they gave, ``work.runs``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import (
    fold_of,
    name_of,
    name_or_none,
    names_of,
    path_or_none,
    switch,
    whole,
    workers,
)
from fgbench.api.joined_runs import runs_of
from fgbench.api.methods import checked_method, known_method
from fgbench.api.progress import LOGGER, Shown, bars, shown_as
from fgbench.api.runs import Run
from fgbench.api.settings import changes_of_pairs
from fgbench.api.unit_runs import UnitRun
from fgbench.errors import ConfigError, DependencyError, ManifestError, package_missing
from fgbench.workfolders.layout import RUNS

if TYPE_CHECKING:
    from fgbench.methods.steps.contexts import Runs


class Running:
    """Runs of a work folder."""

    path: Path

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
        fold_file: str | os.PathLike[str] | None = None,
        weights: str | os.PathLike[str] | None = None,
        jobs: int | None = None,
        resume: bool = True,
        force: bool = False,
        trackers: Sequence[str] | None = None,
        progress: Shown = None,
        **options: Any,
    ) -> Any:
        """Run a method, what it is made of first (action units, image model, features), and return its run,
        as its command does.

        A run that is there already is returned as it is; one that was interrupted is continued.

        Args:
            method: ``"msau"``, ``"tmsau"``, ``"au"``, ``"lbp-svm"``, ``"dense-traj-svm"``, ``"plain-cnn"``,
                ``"nan"``, ..., or a method of another package.
            recipe: Packed recipe or path of a YAML file; ``None``: the paper's on a GPU; the small one, where
                there is one, on the CPU and for the embedded data set, which the log says.
            settings: Settings of the recipe to change, e.g. ``{"optimiser.epochs": 3}``.
            device: ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``; ``None``: a GPU if there is one.
            seed: Of the run, or of the first of several.
            seeds: How many to run, each with networks of its own all through.
            fold: The fold to run; ``None`` for all.
            fold_file: CSV of ids and folds, kept in the work folder from then on.
            weights: To start from, for methods that take any; of ``"msau"`` a run of action units.
            jobs: Processes, or threads that decode; ``None``: one per core.
            resume: Whether an interrupted run is continued.
            force: Whether a finished one is made again.
            trackers: Programs that the training reports to, e.g. ``("mlflow",)``.
            progress: Whether bars are shown; ``None``: in terminals and notebooks; or a function that is
                called with a name, the number done, and the total.
            options: Of the method alone, as its command has them: ``temporal`` and ``image_run`` of
                ``"tmsau"``, ``init`` and ``trunk`` of ``"msau"``, and with ``network.trunk`` backbone ``hf``,
                ``torch``, ``arch`` and ``licence``, ``folds`` and ``also`` (further work
                folders) of ``"au"``, ``from_scratch`` of ``"insightface"``, ``onnx``, ``hf``, ``torch``,
                ``arch``, ``download``, ``finetune``, ``zero_shot``, ``classes``, ``map``, ``prompts`` and
                ``licence`` of ``"backbone"`` and, without those of zero-shot and fine-tuning,
                ``"video-backbone"``, those of other packages.

        Returns:
            A :class:`Run` over all folds and seeds, a :class:`UnitRun` of action units; a list of them where
            the recipe makes several experiments (``msau-progressive``), or several folds or seeds of action
            units.

        Raises:
            ConfigError: If there is no such method, recipe, option, device, tracker or fold, or a number is
                out of range.
            DatasetError: If a class has no training sample.
            DependencyError: If a package that the method needs is not installed.
            ManifestError: If the manifests are damaged.
            ResourceError: If memory or disk are full.
        """
        from fgbench.api.trained_methods import training_of
        from fgbench.methods.steps.method_names import UNITS

        name = known_method(checked_method(method))
        files = path_or_none("fold_file", fold_file, example="fold_file='folds.csv'")
        how: Runs = {
            "fold": fold_of(fold),
            "seed": whole("seed", seed, least=0),
            "seeds": whole("seeds", seeds, least=1),
            "jobs": workers(jobs),
            "resume": switch("resume", resume),
            "force": switch("force", force),
            "trackers": names_of("trackers", trackers, example="trackers=('mlflow',)") or (),
        }
        if files is not None:
            how["fold_file"] = files
        if weights is not None:
            options = {"weights": weights, **options}
        shown = shown_as(progress)
        with _packages_named(name):
            training = training_of(
                name,
                self.path,
                recipe=name_or_none(
                    "recipe", recipe, example="recipe='msau-small', or the path of a YAML file"
                ),
                changes=changes_of_pairs("settings", settings),
                device=name_or_none("device", device, example="device='cpu'"),
                options=options,
            )
            training.find_device()
        with bars(shown) as update, _packages_named(name):
            how["progress"] = update
            folders = training.run(**how)
        runs = [UnitRun(folder) for folder in folders] if name == UNITS else runs_of(folders)
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


@contextmanager
def _packages_named(method: str) -> Iterator[None]:
    """Context in which a package that is not installed becomes an error that names the method.

    Raises:
        DependencyError: If one is not installed.
    """
    try:
        yield
    except (ModuleNotFoundError, DependencyError) as error:
        lacking = error.__cause__ if isinstance(error, DependencyError) else error
        if not isinstance(lacking, ImportError) or (lacking.name or "fgbench").split(".")[0] == "fgbench":
            raise
        raise package_missing(f"{method} needs", lacking.name) from error
