"""Networks trained before: the location of their weights, and their metadata.

Reads ``runs/<experiment>/<fold>/<seed>/weights.safetensors`` of a work folder, or weights alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from fgbench.errors import ConfigError, ManifestError
from fgbench.files.hashing import digest_file
from fgbench.models.weights import load_weights
from fgbench.runs.digests import PREDICTIONS_OF, listed_files
from fgbench.runs.other_programs import refuse_outside
from fgbench.runs.results import RESULT
from fgbench.runs.weights_metadata import check_metadata
from fgbench.storage import read_json
from fgbench.workfolders.layout import RUNS, WEIGHTS

_COMMANDS = {
    "image": "fgbench train msau",
    "video": "fgbench train tmsau",
    "au": "fgbench train au",
    "insightface": "fgbench baseline insightface",
    "backbone": "fgbench baseline backbone",
}
_MAKERS = {
    "image": "give a run of fgbench train msau",
    "video": "give a run of fgbench train tmsau",
    "au": "give a run of fgbench train au",
    "insightface": "give a run of fgbench baseline insightface",
    "backbone": "give a run of fgbench baseline backbone",
}
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """Weights and their metadata.

    Attributes:
        path: The file.
        state: Tensors by name, on the CPU.
        metadata: Metadata written with them.
        digest: SHA-256 of the file.
    """

    path: Path
    state: Mapping[str, Tensor]
    metadata: Mapping[str, Any]
    digest: str

    @property
    def kind(self) -> str:
        """``"image"``, ``"video"``, ``"au"``, or another; ``"unknown"`` where the file has none."""
        return str(self.metadata.get("kind", "unknown"))

    @property
    def run(self) -> Path | None:
        """Folder of the finished run of images that contains the weights."""
        folder = self.path.parent
        return folder if self.path.name == WEIGHTS and (folder / RESULT).is_file() else None

    @property
    def workdir(self) -> Path | None:
        """Work folder that contains the weights; ``None`` if there is none."""
        return work_folder(self.path)

    @property
    def name(self) -> str:
        """Name for people: experiment, fold and seed of the run, or the file's name."""
        if self.workdir is None:
            return self.path.name
        return "/".join(self.path.absolute().parent.parts[-3:])

    def require(self, kind: str, *, purpose: str) -> None:
        """Refuse weights of another kind.

        Args:
            kind: Kind wanted.
            purpose: Purpose that they are wanted for, for the message.

        Raises:
            ManifestError: If they are of another kind.
        """
        if self.kind != kind:
            raise ManifestError(
                f"{self.path} has weights of kind {self.kind!r}, expected {kind!r} {purpose}",
                _MAKERS.get(kind, "give another run"),
            )


def read_trained(path: Path) -> Trained:
    """Read weights; nothing in the file is executed.

    Raises:
        ManifestError: If they are missing or damaged, describe no network that fgbench writes, or differ from
            the digest in the result of their run.
    """
    state, metadata = load_weights(path)
    check_metadata(metadata, origin=str(path))
    trained = Trained(path=path, state=state, metadata=metadata, digest=digest_file(path))
    listed = _listed_digest(path)
    if listed not in (None, trained.digest):
        raise ManifestError(
            f"{path} is damaged, or of another run: its SHA-256 is {trained.digest[:12]}..., the result "
            f"beside it tells of {listed[:12]}...",
            f"make the run anew: run {_COMMANDS.get(trained.kind, 'its command')} again as before (it sees "
            "the damage); or copy the weights elsewhere to use them without their run",
        )
    return trained


def _listed_digest(path: Path) -> str | None:
    """SHA-256 of weights in the result beside them; ``None`` where there is none."""
    for name in PREDICTIONS_OF if path.name == WEIGHTS else ():
        try:
            result = read_json(path.parent / name)
        except (FileNotFoundError, ManifestError):
            continue  # reported where the result is read
        digest = listed_files(result).get(WEIGHTS) if isinstance(result, dict) else None
        if digest is not None:
            return digest
    return None


def find_weights(run: str, workdir: Path, others: Sequence[Path] = ()) -> Path:
    """Find the weights that a user means.

    Args:
        run: A file of weights, the folder of a run, a folder above that of a single run, or the name of an
            experiment in the work folder (also ``experiment/fold/seed``).
        workdir: The work folder.
        others: Further work folders, used if the first has no such run and exactly one of them has.

    Raises:
        ConfigError: If several runs match, or one of another program, which has none.
        ManifestError: If none does.
    """
    given = Path(run)
    if given.is_file():
        return given
    folders = [given] if given.is_dir() else []
    folders.append(workdir / RUNS / given)
    for folder in folders:
        if weights := _weights_of(folder):
            return _single(weights, f"{run} has {len(weights)} runs with weights, expected one")
    refuse_outside(run, folders)
    elsewhere = {
        other: weights
        for other in others
        if other.resolve() != workdir.resolve() and (weights := _weights_of(other / RUNS / given))
    }
    if elsewhere:
        weights = [path for paths in elsewhere.values() for path in paths]
        n = len(elsewhere)
        where = f"in {n} other work folders" if n > 1 else f"{len(weights)} times in another work folder"
        return _single(weights, f"{run} is not in {workdir}, and {where}, expected one")
    refuse_outside(run, [other / RUNS / given for other in others])
    if given.is_dir():  # runs in ./fgbench-data are of no use to a user who names a folder
        workdir, others = given.parent if given.name == RUNS else given, ()
    there = {
        folder: sorted({path.parts[-4] for path in (folder / RUNS).glob(f"*/*/*/{WEIGHTS}")})
        for folder in dict.fromkeys((workdir, *others))
    }
    lines = [f"in {folder}: {', '.join(names)}" for folder, names in there.items() if names]
    raise ManifestError(
        f"{run} is neither a file of weights nor a run with {WEIGHTS}",
        f"runs with weights {'; '.join(lines)}"
        if lines
        else f"no run in {workdir} has weights; train one with fgbench train msau",
    )


def _weights_of(folder: Path) -> list[Path]:
    """Weights in a folder of a run, or of the runs below it."""
    return [folder / WEIGHTS] if (folder / WEIGHTS).is_file() else _below(folder)


def _single(paths: Sequence[Path], message: str) -> Path:
    if len(paths) > 1:
        names = ", ".join(str(path.parent) for path in paths[:_SHOWN])
        raise ConfigError(
            f"{message}: {names}" + (", ..." if len(paths) > _SHOWN else ""), "name one of their folders"
        )
    return paths[0]


def work_folder(weights: Path) -> Path | None:
    """Work folder of the run that contains weights; ``None`` if there is none."""
    parents = weights.absolute().parents
    is_run = weights.name == WEIGHTS and len(parents) > 4 and parents[3].name == RUNS
    return parents[4] if is_run else None


def _below(folder: Path) -> list[Path]:
    """Weights of the seeds of a fold, or of the folds of an experiment."""
    return sorted(path for pattern in (f"*/{WEIGHTS}", f"*/*/{WEIGHTS}") for path in folder.glob(pattern))
