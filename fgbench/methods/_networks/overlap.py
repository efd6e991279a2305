"""Whether a network was trained on clips that it is to be tested on.

A clip is known by its file's digest, and in work folders that were made from one data set by its id.

Reads what a network's run tells of the clips that it was trained on
(`fgbench.methods._networks.trained_clips`), else the manifests of the work folder that it lies in; and the
origin of that folder and of the one that tests it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.methods._networks.trained_clips import read_trained_clips
from fgbench.runs.division import read_division
from fgbench.runs.read_digest import digests_now
from fgbench.runs.results import read_result
from fgbench.runs.samples import clip_samples
from fgbench.runs.unit_results import RESULT as AU_RESULT
from fgbench.runs.weights import Trained
from fgbench.storage import read_json, read_rows
from fgbench.training.context import Place
from fgbench.workfolders.folder import read_origin

_MANIFESTS = "manifests"
_COLUMNS = ["clip_id", "sha256"]


def start_told(start: Trained, place: Place) -> dict[str, Any]:
    """What a result tells of the network that its run starts from, or whose descriptions it takes.

    Raises:
        ConfigError: If it was trained on test clips of the place's fold.
        ManifestError: If manifests are missing or damaged.
    """
    return {
        "run": start.name,
        "kind": start.kind,
        "sha256": start.digest,
        "is_of_this_folder": _is_folder(start.workdir, place.workdir),
        "clips_trained_on": refuse_overlap(start, place),
    }


def refuse_overlap(start: Trained, place: Place) -> int | None:
    """Refuse to start from a network that was trained on test clips of the place's fold.

    Returns:
        0; ``None`` where it is not known what it, or what it started from itself, was trained on.

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
    return known if _has_known_start(start, place) else None


def clips_trained_on(trained: Trained, place: Place, *, fold: str | None = None) -> int | None:
    """Test clips of a work folder that a network was trained or selected on.

    Args:
        trained: The network.
        place: The work folder.
        fold: The fold whose test clips count; ``None`` counts those of all folds.

    Returns:
        ``None`` where neither the run nor the manifests that were trained on tell.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    if (rows := read_trained_clips(trained.path.parent)) is not None:
        return _known_rows(rows, trained, place, fold)
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
    seen_ids = {clip.clip_id for clip in seen}
    tested_ids = _tested_ids(place, fold)
    if _is_folder(trained.workdir, place.workdir):
        # Equal files in several parts are a matter of the division, whatever is started from.
        known = len(seen_ids & tested_ids)
    else:
        same_ids = seen_ids if _is_one_data_set(trained.workdir, index, place) else frozenset[str]()
        known = known_clips(manifests, seen_ids, place.manifests, tested_ids, same_ids=same_ids)
    return known if known or _is_of_manifests(trained, index) else None


def _is_of_manifests(trained: Trained, index: Mapping[str, Any]) -> bool:
    """Whether a run of an earlier version, which does not tell its clips, is of the manifests beside it: not
    where these were made anew since, or it was copied there. Weights without a result are taken to be."""
    if trained.run is None or trained.workdir is None:
        return trained.run is None
    return read_result(trained.run).get("manifest_digest") in digests_now(trained.workdir, index)


def _tested_ids(place: Place, fold: str | None) -> set[str]:
    here = clip_samples(place.manifests)
    divided = place.division.tested(here) if fold is None else place.division.divide(here, fold)
    return {clip.clip_id for clip in divided if clip.part == "test"}


def _known_rows(rows: Sequence[Mapping[str, Any]], trained: Trained, place: Place, fold: str | None) -> int:
    """As :func:`clips_trained_on`, of a run that tells its clips."""
    tested_ids = _tested_ids(place, fold)
    own = {row["clip_id"] for row in rows if row["dataset"] == place.details["dataset"]}
    is_here = _is_folder(trained.workdir, place.workdir)
    here = {row["clip_id"]: row["sha256"] for row in read_rows(place.manifests / "clips.parquet", _COLUMNS)}
    # Of a clip of this folder, equal files in several parts are a matter of the division. A run that was
    # copied into this folder may be of clips that have other ids here.
    files = {
        row["sha256"]
        for row in rows
        if not (is_here and row["clip_id"] in own and here.get(row["clip_id"]) == row["sha256"])
    } - {None}
    same = is_here or (
        trained.workdir is not None
        and _is_one_data_set(trained.workdir, {"dataset": place.details["dataset"]}, place)
    )
    return _count_known(place.manifests, tested_ids, files=files, ids=own if same else frozenset())


def known_clips(
    trained_in: Path,
    trained: Collection[str],
    tested_in: Path,
    tested: Collection[str],
    *,
    same_ids: Collection[str] = (),
) -> int:
    """Test clips of a work folder whose files were trained or selected on in another.

    Args:
        trained_in: Manifests that a network was trained on.
        trained: Ids of the clips of these that it was trained or selected on.
        tested_in: Manifests that it is tested on.
        tested: Ids of the clips of these that it is tested on.
        same_ids: Ids that mean the same clips in both, and were trained or selected on.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    rows = read_rows(trained_in / "clips.parquet", _COLUMNS)
    files = {row["sha256"] for row in rows if row["clip_id"] in trained} - {None}
    return _count_known(tested_in, tested, files=files, ids=same_ids)


def _count_known(
    manifests: Path, tested: Collection[str], *, files: Collection[str], ids: Collection[str]
) -> int:
    rows = read_rows(manifests / "clips.parquet", _COLUMNS)
    return sum(row["clip_id"] in tested and (row["sha256"] in files or row["clip_id"] in ids) for row in rows)


def _has_known_start(start: Trained, place: Place) -> bool:
    """Whether what a network started from itself was trained on its own training clips alone, or on none that
    the place tests."""
    is_units = (start.path.parent / AU_RESULT).is_file()
    if start.run is None or is_units:
        return True  # units start from drawn values; of weights alone nothing is known in any case
    details = read_result(start.run)["details"]
    told = details.get("start")
    if told is None:
        return details.get("trunk") is None and details.get("image_model") is None
    is_here = _is_folder(start.workdir, place.workdir) and start.path.parent.parent.name == place.fold
    return told["clips_trained_on"] is not None and bool(is_here or told["is_of_this_folder"])


def _is_folder(one: Path | None, other: Path) -> bool:
    return one is not None and one.resolve() == other.resolve()


def _is_one_data_set(workdir: Path, index: Mapping[str, Any], place: Place) -> bool:
    """Whether a work folder was made from the place's data set: of the same name, in the same folder."""
    try:
        roots = {read_origin(folder)[1].resolve() for folder in (workdir, place.workdir)}
    except ManifestError:
        return False
    return len(roots) == 1 and index.get("dataset") == place.details["dataset"]
