"""Division of the samples of a work folder as its manifests and files of folds tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError
from fgbench.resources import resource
from fgbench.runs.division import FOLDS, HELD_OUT, VAL_IS_TEST, Division
from fgbench.runs.folds import GROUPS, deal, group_of, read_fold_file
from fgbench.runs.lost_clips import lost_samples
from fgbench.runs.lost_folds import fold_lost, kept_file_text, listed_lost
from fgbench.runs.protocol import refuse_shared_parts
from fgbench.runs.results import SINGLE_FOLD
from fgbench.runs.samples import Sample, clip_samples
from fgbench.workfolders.layout import MANIFESTS

HELD_OUT_FOLDS = 10
"""Number of folds of the training groups, of which the first is held out; not stated in the paper."""


def read_division(
    workdir: Path, index: Mapping[str, Any], *, fold_file: Path | None = None, keep: bool = True
) -> Division:
    """Division in the index of a work folder; without one, parts train, val and test.

    Args:
        workdir: Work folder.
        index: Content of its ``index.json``.
        fold_file: The user's folds; kept in the work folder from then on.
        keep: Whether folds are kept in the work folder where none are yet.

    Raises:
        ConfigError: If a fold file does not divide the groups, is given for a division by parts, or differs
            from the one in the work folder.
        DatasetError: If a group is unknown, or there are fewer groups than folds.
        ManifestError: If the index has an unknown protocol, or the clips are missing.
        ResourceError: If the folds cannot be kept.
    """
    protocol: Mapping[str, Any] = index.get("protocol") or {}
    kind, group_by = protocol.get("kind", "parts"), str(protocol.get("group_by", "clip_id"))
    if kind not in ("parts", "k-fold") or group_by not in GROUPS:
        raise ManifestError(
            f"index.json has a protocol of kind {kind!r} by {group_by!r}, expected parts or k-fold by one of "
            f"{', '.join(GROUPS)}",
            "update fgbench, or run fgbench prepare again",
        )
    if kind == "k-fold":
        return _by_folds(workdir, protocol, group_by, fold_file, keep=keep)
    if fold_file is not None:
        raise ConfigError(
            f"--fold-file {fold_file} for a data set that is divided into parts", "leave it out"
        )
    return _by_parts(workdir, protocol, group_by)


def _by_parts(workdir: Path, protocol: Mapping[str, Any], group_by: str) -> Division:
    wanted = {
        "train": _names(protocol.get("train", ["train"])),
        "val": _names(protocol.get("selection", ["val"])),
        "test": _names(protocol.get("test", ["test"])),
    }
    label = str(protocol.get("label") or (VAL_IS_TEST if wanted["test"] == ["val"] else Division().label))
    refuse_shared_parts(label, train=wanted["train"], selection=wanted["val"], test=wanted["test"])
    roles = {part: role for role, parts in wanted.items() for part in parts}
    if wanted["val"]:
        return Division(label=label, group_by=group_by, parts=roles)
    training = [clip for clip in clip_samples(workdir / MANIFESTS) if roles.get(clip.part) == "train"]
    held = {SINGLE_FOLD: _held_out(training, group_by, label)}
    return Division(name=HELD_OUT, label=label, group_by=group_by, parts=roles, held_out=held)


def _held_out(training: Sequence[Sample], group_by: str, label: str) -> frozenset[str]:
    """Clips of the first of the folds into which the groups of the training clips are dealt.

    Raises:
        ConfigError: If there are too few groups.
        DatasetError: If the group of a clip is unknown.
    """
    groups = [group_of(clip, group_by) for clip in training]
    n_folds = min(HELD_OUT_FOLDS, len(set(groups)))
    if n_folds < 3:
        raise ConfigError(
            f"protocol {label}: {n_folds} training groups by {group_by}, expected at least 3 to hold one out",
            "name a part to select on in the protocol of the data set",
        )
    fold_of = deal(groups, n_folds)
    return frozenset(
        clip.clip_id for clip, group in zip(training, groups, strict=True) if fold_of[group] == "1"
    )


def _names(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(name) for name in value]


def _by_folds(
    workdir: Path, protocol: Mapping[str, Any], group_by: str, fold_file: Path | None, *, keep: bool
) -> Division:
    n_folds = int(protocol.get("folds", 10))
    what = group_by.removesuffix("_id")
    name = f"{n_folds}-fold-by-{what}"
    clips = clip_samples(workdir / MANIFESTS)
    lost = lost_samples(workdir / MANIFESTS, clips)
    kept = workdir / FOLDS / f"{name}.csv"
    published = _published(workdir, protocol)
    source = fold_file or (kept if kept.is_file() else published)

    def read(path: Path | None) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
        """Folds of groups, of lost clips that are listed, and of all clips."""
        if path is None:
            groups, listed = deal((group_of(clip, group_by) for clip in clips), n_folds), {}
        else:
            groups = read_fold_file(path, clips, group_by=group_by, n_folds=n_folds, lost=lost)
            listed = listed_lost(path, lost, groups, group_by=group_by, n_folds=n_folds)
        fold_of = {clip.clip_id: groups[group_of(clip, group_by)] for clip in clips}
        fold_of |= fold_lost(lost, groups, group_by=group_by, n_folds=n_folds, listed=listed)
        return groups, listed, fold_of

    groups, listed, fold_of = read(source)
    if fold_file is not None and kept.is_file():
        if read(kept)[-1] != fold_of:
            raise ConfigError(
                f"{fold_file} divides otherwise than {kept}, which the work folder has already",
                f"delete {kept} to take the other folds; runs on the old ones are then made again",
            )
    elif keep and not kept.is_file():
        storage.write_text(kept, kept_file_text(clips, lost, groups, group_by=group_by, listed=listed))
    label = str(protocol.get("label") or f"{n_folds}-fold by {what}")
    held = {}
    if protocol.get("fold_selection") == HELD_OUT:
        for fold in map(str, range(1, n_folds + 1)):
            rest = [clip for clip in clips if fold_of[clip.clip_id] != fold]
            held[fold] = _held_out(rest, group_by, label)
    return Division(
        name=name,
        label=label,
        group_by=group_by,
        parts={},
        held_out=held,
        fold_of=fold_of,
        n_folds=n_folds,
    )


def _published(workdir: Path, protocol: Mapping[str, Any]) -> Path | None:
    """Fold file of the protocol: in the manifests of the work folder, or packed with fgbench."""
    name = protocol.get("fold_file")
    if name is None:
        return None
    if Path(str(name)).name != name:
        raise ManifestError(
            f"index.json names the fold file {name!r}, expected a name without folders",
            "run fgbench prepare again",
        )
    own = workdir / MANIFESTS / str(name)
    if own.is_file():
        return own
    try:
        return resource("manifests", "splits", str(name))
    except FileNotFoundError as error:
        raise ManifestError(
            f"the fold file {name} of the protocol is neither in {own.parent} nor part of fgbench",
            "run fgbench prepare again",
        ) from error
