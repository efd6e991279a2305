"""Networks that were trained before: where their weights lie, and what is known of them.

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
from fgbench.runs.digests import PREDICTIONS_OF, told_files
from fgbench.runs.outside import refuse_outside
from fgbench.runs.results import RESULT
from fgbench.runs.weights_metadata import check_metadata
from fgbench.storage import read_json

WEIGHTS = "weights.safetensors"
"""Name of the weights in the folder of a run."""

_COMMANDS = {
    "image": "fgbench train msau",
    "video": "fgbench train tmsau",
    "au": "fgbench train au",
    "insightface": "fgbench baseline insightface",
}
_MAKERS = {
    "image": "give a run of fgbench train msau",
    "video": "give a run of fgbench train tmsau",
    "au": "give a run of fgbench train au",
    "insightface": "give a run of fgbench baseline insightface",
}
_RUNS = "runs"
_SHOWN = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """Weights and what describes them.

    Attributes:
        path: The file.
        state: Tensors by name, on the CPU.
        metadata: What was written with them.
        digest: SHA-256 of the file.
    """

    path: Path
    state: Mapping[str, Tensor]
    metadata: Mapping[str, Any]
    digest: str

    @property
    def kind(self) -> str:
        """``"image"``, ``"video"``, ``"au"``, or another; ``"unknown"`` where the file does not tell."""
        return str(self.metadata.get("kind", "unknown"))

    @property
    def run(self) -> Path | None:
        """Folder of the finished run of images that the weights lie in."""
        folder = self.path.parent
        return folder if self.path.name == WEIGHTS and (folder / RESULT).is_file() else None

    @property
    def workdir(self) -> Path | None:
        """Work folder that the weights lie in; ``None`` if they lie elsewhere."""
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
            purpose: What they are wanted for, for the message.

        Raises:
            ManifestError: If they are of another kind.
        """
        if self.kind != kind:
            raise ManifestError(
                f"{self.path} has weights of kind {self.kind!r}, expected {kind!r} {purpose}",
                _MAKERS.get(kind, "give another run"),
            )


def read_trained(path: Path) -> Trained:
    """Read weights; nothing that the file may hold is run.

    Raises:
        ManifestError: If they are missing or damaged, tell of no network that fgbench writes, or are not
            those that the result of their run tells of.
    """
    state, metadata = load_weights(path)
    check_metadata(metadata, origin=str(path))
    found = Trained(path=path, state=state, metadata=metadata, digest=digest_file(path))
    told = _told_digest(path)
    if told not in (None, found.digest):
        raise ManifestError(
            f"{path} is damaged, or of another run: its SHA-256 is {found.digest[:12]}..., the result beside "
            f"it tells of {told[:12]}...",
            f"make the run anew: run {_COMMANDS.get(found.kind, 'its command')} again as before (it sees the "
            "damage); or copy the weights elsewhere to use them without their run",
        )
    return found


def _told_digest(path: Path) -> str | None:
    """SHA-256 that the result beside weights tells of them; ``None`` where there is none."""
    for name in PREDICTIONS_OF if path.name == WEIGHTS else ():
        try:
            result = read_json(path.parent / name)
        except (FileNotFoundError, ManifestError):
            continue  # who reads the result says so
        told = told_files(result).get(WEIGHTS) if isinstance(result, dict) else None
        if told is not None:
            return told
    return None


def find_weights(run: str, workdir: Path, others: Sequence[Path] = ()) -> Path:
    """The weights that a user means.

    Args:
        run: A file of weights, the folder of a run, a folder above that of a single run, or the name of an
            experiment in the work folder (also ``experiment/fold/seed``).
        workdir: The work folder.
        others: Further work folders, of which one is taken that alone has the name, where the first has not.

    Raises:
        ConfigError: If several runs are meant, or one of another program, which has none.
        ManifestError: If none is.
    """
    given = Path(run)
    if given.is_file():
        return given
    places = [given] if given.is_dir() else []
    places.append(workdir / _RUNS / given)
    for place in places:
        if found := _weights_of(place):
            return _single(found, f"{run} has {len(found)} runs with weights, expected one")
    refuse_outside(run, places)
    elsewhere = {
        other: found
        for other in others
        if other.resolve() != workdir.resolve() and (found := _weights_of(other / _RUNS / given))
    }
    if elsewhere:
        found = [path for paths in elsewhere.values() for path in paths]
        n = len(elsewhere)
        where = f"in {n} other work folders" if n > 1 else f"{len(found)} times in another work folder"
        return _single(found, f"{run} is not in {workdir}, and {where}, expected one")
    refuse_outside(run, [other / _RUNS / given for other in others])
    if given.is_dir():  # what lies in ./fgbench-data is of no use to who names a folder
        workdir, others = given.parent if given.name == _RUNS else given, ()
    there = {
        folder: sorted({path.parts[-4] for path in (folder / _RUNS).glob(f"*/*/*/{WEIGHTS}")})
        for folder in dict.fromkeys((workdir, *others))
    }
    told = [f"in {folder}: {', '.join(names)}" for folder, names in there.items() if names]
    raise ManifestError(
        f"{run} is neither a file of weights nor a run with {WEIGHTS}",
        f"runs with weights {'; '.join(told)}"
        if told
        else f"no run in {workdir} has weights; train one with fgbench train msau",
    )


def _weights_of(place: Path) -> list[Path]:
    """Weights in a folder of a run, or of the runs below it."""
    return [place / WEIGHTS] if (place / WEIGHTS).is_file() else _below(place)


def _single(found: Sequence[Path], message: str) -> Path:
    if len(found) > 1:
        names = ", ".join(str(path.parent) for path in found[:_SHOWN])
        raise ConfigError(
            f"{message}: {names}" + (", ..." if len(found) > _SHOWN else ""), "name one of their folders"
        )
    return found[0]


def work_folder(weights: Path) -> Path | None:
    """Work folder of the run that weights lie in; ``None`` if they lie in none."""
    parents = weights.absolute().parents
    is_run = weights.name == WEIGHTS and len(parents) > 4 and parents[3].name == _RUNS
    return parents[4] if is_run else None


def _below(place: Path) -> list[Path]:
    """Weights of the seeds of a fold, or of the folds of an experiment."""
    return sorted(path for pattern in (f"*/{WEIGHTS}", f"*/*/{WEIGHTS}") for path in place.glob(pattern))
