"""Whether a network was trained on clips that it is to be tested on: their files tell, by digest.

Reads the manifests of the work folder that the network lies in, and of the one that it is tested in.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from fgbench.errors import ConfigError
from fgbench.evaluation.division import read_division
from fgbench.evaluation.samples import clip_samples
from fgbench.storage import read_json, read_rows
from fgbench.training.place import Place
from fgbench.training.trained import Trained

_MANIFESTS = "manifests"


def refuse_overlap(start: Trained, place: Place) -> None:
    """Refuse to start from a network that was trained on test clips of the place's fold.

    Raises:
        ConfigError: If it was.
        ManifestError: If manifests are missing or damaged.
    """
    known = clips_trained_on(start, place, fold=place.fold)
    if known:
        raise ConfigError(
            f"{start.name} was trained on {known} of the test clips of {place.workdir}, fold {place.fold}; "
            "expected none",
            "start from a network that was trained in the same fold, or on other data",
        )


def clips_trained_on(trained: Trained, place: Place, *, fold: str | None = None) -> int | None:
    """Test clips of a work folder that a network was trained or selected on.

    Args:
        trained: The network.
        place: The work folder.
        fold: The fold whose test clips count; ``None`` counts those of all folds.

    Returns:
        ``None`` where the manifests that were trained on are not at hand.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    if trained.workdir is None or not (trained.workdir / _MANIFESTS / "clips.parquet").is_file():
        return None
    manifests = trained.workdir / _MANIFESTS
    index = read_json(manifests / "index.json") if (manifests / "index.json").is_file() else {}
    division = read_division(trained.workdir, index)
    own = trained.path.parent.parent.name
    clips = clip_samples(manifests)
    # Of folds that are no longer, nothing is known: all clips may have been trained on.
    is_known = own in division.folds
    seen = [c for c in division.divide(clips, own) if c.part != "test"] if is_known else clips
    here = clip_samples(place.manifests)
    divided = place.division.tested(here) if fold is None else place.division.divide(here, fold)
    tested = [clip for clip in divided if clip.part == "test"]
    return known_clips(
        manifests, {clip.clip_id for clip in seen}, place.manifests, {clip.clip_id for clip in tested}
    )


def known_clips(trained_in: Path, trained: Collection[str], tested_in: Path, tested: Collection[str]) -> int:
    """Test clips of a work folder whose files were trained or selected on in another.

    Args:
        trained_in: Manifests that a network was trained on.
        trained: Ids of the clips of these that it was trained or selected on.
        tested_in: Manifests that it is tested on.
        tested: Ids of the clips of these that it is tested on.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    columns = ["clip_id", "sha256"]
    rows = read_rows(trained_in / "clips.parquet", columns)
    known = {row["sha256"] for row in rows if row["clip_id"] in trained} - {None}
    rows = read_rows(tested_in / "clips.parquet", columns)
    return sum(row["clip_id"] in tested and row["sha256"] in known for row in rows)
