"""Overlap between the clips that a network was trained on and those that it is tested on.

Clips are matched by the digests of their files, and between work folders of one data set also by id.

Reads the list of training clips of a network's run (`fgbench.methods._networks.trained_clips`), else the
manifests of its work folder; and the origin of that folder and of the one where it is tested.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.errors import ConfigError, ManifestError
from fgbench.methods._networks.trained_clips import read_trained_clips
from fgbench.runs.division_reading import read_division
from fgbench.runs.read_digest import digests_now
from fgbench.runs.results import read_result
from fgbench.runs.samples import clip_samples
from fgbench.runs.unit_results import RESULT as AU_RESULT
from fgbench.runs.weights import Trained
from fgbench.storage import read_json, read_rows
from fgbench.training.context import TrainingContext
from fgbench.workfolders.folder import read_origin
from fgbench.workfolders.layout import INDEX, MANIFESTS

_COLUMNS = ["clip_id", "sha256"]


def start_details(start: Trained, context: TrainingContext) -> dict[str, Any]:
    """Return the details of a result on the network that its run starts from, or that describes its frames.

    Raises:
        ConfigError: If it was trained on test clips of the run's fold.
        ManifestError: If manifests are missing or damaged.
    """
    return {
        "run": start.name,
        "kind": start.kind,
        "sha256": start.digest,
        "is_of_this_folder": _is_folder(start.workdir, context.workdir),
        "clips_trained_on": refuse_overlap(start, context),
    }


def refuse_overlap(start: Trained, context: TrainingContext) -> int | None:
    """Refuse to start from a network that was trained on test clips of the run's fold.

    Returns:
        0; ``None`` where the training clips of the network, or of those that it started from, are not known.

    Raises:
        ConfigError: If it was.
        ManifestError: If manifests are missing or damaged.
    """
    overlap = clips_trained_on(start, context, fold=context.fold)
    if overlap:
        raise ConfigError(
            f"{start.name} was trained on {overlap} of the test clips of {context.workdir}, fold "
            f"{context.fold}; expected none",
            "start from a network that was trained in the same fold, or on other data",
        )
    return overlap if _has_known_start(start, context) else None


def clips_trained_on(trained: Trained, context: TrainingContext, *, fold: str | None = None) -> int | None:
    """Count the test clips of a work folder that a network was trained or selected on.

    Args:
        trained: The network.
        context: The work folder.
        fold: The fold whose test clips count; ``None`` counts those of all folds.

    Returns:
        The number; ``None`` where neither the run nor its manifests list the training clips.

    Raises:
        ManifestError: If manifests are missing or damaged.
    """
    if (rows := read_trained_clips(trained.path.parent)) is not None:
        return _count_listed(rows, trained, context, fold)
    if trained.workdir is None or not (trained.workdir / MANIFESTS / "clips.parquet").is_file():
        return None
    manifests = trained.workdir / MANIFESTS
    index = read_json(manifests / INDEX) if (manifests / INDEX).is_file() else {}
    division = read_division(trained.workdir, index)
    own = trained.path.parent.parent.name
    clips = clip_samples(manifests)
    # A fold that no longer exists may have trained on any clip.
    is_known = own in division.folds
    trained_clips = [c for c in division.divide(clips, own) if c.part != "test"] if is_known else clips
    trained_ids = {clip.clip_id for clip in trained_clips}
    tested_ids = _tested_ids(context, fold)
    if _is_folder(trained.workdir, context.workdir):
        # Equal files in several parts are a fault of the division, not of the start.
        overlap = len(trained_ids & tested_ids)
    else:
        same_ids = trained_ids if _is_one_data_set(trained.workdir, index, context) else frozenset[str]()
        overlap = count_trained_clips(
            manifests, trained_ids, context.manifests, tested_ids, same_ids=same_ids
        )
    return overlap if overlap or _is_of_manifests(trained, index) else None


def _is_of_manifests(trained: Trained, index: Mapping[str, Any]) -> bool:
    """Return whether a run of an earlier version, which lists no clips, is of the manifests beside it: not
    where these were remade since, or it was copied there. Weights without a result count as such."""
    if trained.run is None or trained.workdir is None:
        return trained.run is None
    return read_result(trained.run).get("manifest_digest") in digests_now(trained.workdir, index)


def _tested_ids(context: TrainingContext, fold: str | None) -> set[str]:
    here = clip_samples(context.manifests)
    divided = context.division.tested(here) if fold is None else context.division.divide(here, fold)
    return {clip.clip_id for clip in divided if clip.part == "test"}


def _count_listed(
    rows: Sequence[Mapping[str, Any]], trained: Trained, context: TrainingContext, fold: str | None
) -> int:
    """Count as :func:`clips_trained_on` does, for a run that lists its clips."""
    tested_ids = _tested_ids(context, fold)
    own = {row["clip_id"] for row in rows if row["dataset"] == context.details["dataset"]}
    is_here = _is_folder(trained.workdir, context.workdir)
    here = {row["clip_id"]: row["sha256"] for row in read_rows(context.manifests / "clips.parquet", _COLUMNS)}
    # Equal files of this folder in several parts are a fault of the division. A run that was
    # copied into this folder may be of clips that have other ids here.
    files = {
        row["sha256"]
        for row in rows
        if not (is_here and row["clip_id"] in own and here.get(row["clip_id"]) == row["sha256"])
    } - {None}
    same = is_here or (
        trained.workdir is not None
        and _is_one_data_set(trained.workdir, {"dataset": context.details["dataset"]}, context)
    )
    return _count_trained(context.manifests, tested_ids, files=files, ids=own if same else frozenset())


def count_trained_clips(
    trained_in: Path,
    trained: Collection[str],
    tested_in: Path,
    tested: Collection[str],
    *,
    same_ids: Collection[str] = (),
) -> int:
    """Count the test clips of a work folder whose files were trained or selected on in another.

    Args:
        trained_in: Manifests that a network was trained on.
        trained: Ids of their clips that it was trained or selected on.
        tested_in: Manifests that it is tested on.
        tested: Ids of their clips that it is tested on.
        same_ids: Training clips whose ids mean the same clips in both.

    Raises:
        ManifestError: If the manifests are missing or damaged.
    """
    rows = read_rows(trained_in / "clips.parquet", _COLUMNS)
    files = {row["sha256"] for row in rows if row["clip_id"] in trained} - {None}
    return _count_trained(tested_in, tested, files=files, ids=same_ids)


def _count_trained(
    manifests: Path, tested: Collection[str], *, files: Collection[str], ids: Collection[str]
) -> int:
    rows = read_rows(manifests / "clips.parquet", _COLUMNS)
    return sum(row["clip_id"] in tested and (row["sha256"] in files or row["clip_id"] in ids) for row in rows)


def _has_known_start(start: Trained, context: TrainingContext) -> bool:
    """Return whether the training clips of a network's own start are its own too, or none that are tested."""
    is_units = (start.path.parent / AU_RESULT).is_file()
    if start.run is None or is_units:
        return True  # units start from drawn values; weights alone have no known start in any case
    details = read_result(start.run)["details"]
    earlier = details.get("start")
    if earlier is None:
        return details.get("trunk") is None and details.get("image_model") is None
    is_here = _is_folder(start.workdir, context.workdir) and start.path.parent.parent.name == context.fold
    return earlier["clips_trained_on"] is not None and bool(is_here or earlier["is_of_this_folder"])


def _is_folder(one: Path | None, other: Path) -> bool:
    return one is not None and one.resolve() == other.resolve()


def _is_one_data_set(workdir: Path, index: Mapping[str, Any], context: TrainingContext) -> bool:
    """Return whether two work folders were made from one data set: of the same name, in the same folder."""
    try:
        roots = {read_origin(folder)[1].resolve() for folder in (workdir, context.workdir)}
    except ManifestError:
        return False
    return len(roots) == 1 and index.get("dataset") == context.details["dataset"]
