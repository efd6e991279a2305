"""``work.check``: whether the files of a work folder are as their digests say."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fgbench.api.arguments import path_of, switch, workers
from fgbench.api.progress import Shown, bars, shown_as
from fgbench.notebook_lines import NotebookLines


@dataclass(frozen=True, slots=True, kw_only=True)
class Soundness(NotebookLines):
    """Whether the files of a work folder are as their digests say.

    Attributes:
        workdir: The folder.
        files: Files that the manifests list; 0 where there are faults.
        faults: A line for each fault.
        mended: A line for each file that was made anew.
        entered: Runs that were entered into the ledger of test readings afterwards.
    """

    workdir: Path
    files: int
    faults: tuple[str, ...]
    mended: tuple[str, ...]
    entered: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        from fgbench.runs.ledger.counts import ledger_json

        return {
            "files": self.files,
            "faults": list(self.faults),
            "mended": list(self.mended),
            "entered": list(self.entered),
            "ledger": ledger_json(self.workdir),
        }

    def lines(self) -> list[str]:
        """Return lines of text."""
        from fgbench.runs.ledger.chain import LEDGER
        from fgbench.runs.ledger.counts import ledger_lines

        lines = [f"made anew: {line}" for line in self.mended]
        lines += [f"entered into {LEDGER} afterwards: {line}" for line in self.entered]
        if self.faults:
            return [*lines, *self.faults]
        return [*lines, f"{self.files} files, all as their index says", *ledger_lines(self.workdir)]

    def require(self, *, repaired: bool = False) -> None:
        """Do nothing where there is no fault.

        Args:
            repaired: Whether a repair was tried already, for the advice.

        Raises:
            ManifestError: If there is one.
        """
        from fgbench.errors import ManifestError

        if self.faults:
            raise ManifestError(
                f"{self.workdir} has {len(self.faults)} fault{'s' if len(self.faults) > 1 else ''}",
                self._remedy(repaired=repaired),
            )

    def _remedy(self, *, repaired: bool) -> str:
        """Advice on faults, for each kind."""
        from fgbench.runs.ledger.chain import HEAD, LEDGER, SET_APART
        from fgbench.runs.ledger.missing import NOT_THERE
        from fgbench.workfolders.folder import PULL_AGAIN, has_tables_alone

        foreign = [line for line in self.faults if line.endswith(": not in the index")]
        lacking = [line for line in self.faults if line.endswith(NOT_THERE)]
        chain = [line for line in self.faults if line.startswith(f"{LEDGER}: ")]
        kept = [line for line in self.faults if line.startswith(("runs/", "cache/")) and line not in lacking]
        remedies = []
        if has_tables_alone(self.workdir):
            remedies.append(PULL_AGAIN)
        elif len(foreign) + len(kept) + len(lacking) + len(chain) < len(self.faults):
            remedies.append(
                "run fgbench prepare with its recipe and --data-root again"
                if repaired
                else f"fgbench check --repair {self.workdir} computes anew what is damaged of manifests and "
                "results"
            )
        if kept:
            remedies.append(
                "runs and caches are made anew by the command that made them, runs at any rate with --force"
            )
        broken = [line for line in chain if not line.endswith(SET_APART)]
        if chain and not broken:
            remedies.append("no reading is lost: run the command that was ended again")
        if broken:
            remedies.append(
                f"put {LEDGER} back as it was; or move it and {HEAD} away and begin a new one, into which "
                "fgbench check --repair enters the runs that are there"
            )
        if lacking and not broken:
            remedies.append(f"fgbench check --repair {self.workdir} enters readings that the ledger lacks")
        if foreign:
            remedies.append(
                "move files away that no index lists: fgbench has not written them, and leaves them alone"
            )
        return "; ".join(remedies)


def check(
    workdir: str | os.PathLike[str],
    *,
    deep: bool = False,
    repair: bool = False,
    jobs: int | None = None,
    progress: Shown = None,
) -> Soundness:
    """Compare a work folder with the digests noted when it was written.

    Args:
        workdir: Work folder.
        deep: Whether the results of all stages, caches and predictions of runs are hashed too.
        repair: Whether what is damaged of manifests and results is computed anew first.
        jobs: Worker processes; ``None``: one per core.
        progress: Whether bars of a repair are shown; ``None``: in terminals and notebooks; or a function that
            is called with a name, the number done, and the total.

    Raises:
        DatasetError: If it is the name of a data set whose folder is unknown, or a folder of data; or, for a
            repair, the data set has moved.
        ManifestError: If there are no manifests; or, for a repair, tables alone, as of a pull.
        ResourceError: If something may not be read.
    """
    from fgbench.api.work_folders import refuse_data_folder
    from fgbench.config import recipe_names
    from fgbench.errors import DatasetError
    from fgbench.plugins import load
    from fgbench.preparation.soundness import faults
    from fgbench.runs.ledger.missing import enter_lacking
    from fgbench.workfolders.manifest_index import read_index

    folder, n_workers = path_of("workdir", workdir, example="work.path"), workers(jobs)
    deep, repair, progress = switch("deep", deep), switch("repair", repair), shown_as(progress)
    if not folder.exists() and str(folder).replace("_", "-") in recipe_names():
        raise DatasetError(
            f"no folder is known for the data set {folder}", f"fgbench check {folder} --root DIR"
        )
    refuse_data_folder(folder, "fgbench check")
    mended = _mend(folder, n_workers, progress) if repair else ()
    entered = enter_lacking(folder) if repair else []
    with load("engines", "local").start(n_workers) as runner:
        faulty = faults(folder, deep=deep, runner=runner)
    files = 0 if faulty else len(read_index(folder)["files"])
    return Soundness(workdir=folder, files=files, faults=tuple(faulty), mended=mended, entered=tuple(entered))


def _mend(workdir: Path, jobs: int, progress: Shown) -> tuple[str, ...]:
    """Make damaged results and manifests anew; returns a line for each."""
    from fgbench.errors import ManifestError
    from fgbench.preparation.prepare import run, saved_here
    from fgbench.workfolders.folder import PULL_AGAIN, has_tables_alone

    if has_tables_alone(workdir):
        raise ManifestError(
            f"{workdir} has the tables of a data set alone: without the clips nothing is computed anew",
            PULL_AGAIN,
        )
    config, root = saved_here(workdir)
    with bars(progress) as update:
        return run(config, root, workdir, jobs=jobs, recheck=True, progress=update).damage
