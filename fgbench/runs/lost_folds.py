"""Folds of clips that could not be read: each is tested in exactly one, as a sample without prediction.

If the fold file lists such a clip, or its group, it has that fold; else that of its group. A group without
usable clips has the fold given by a hash of its name, and a clip of unknown group the one given by a hash of
its own id. So no usable clip changes its fold because of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fgbench.files.hashing import hash_u64
from fgbench.runs.folds import fold_file_text, in_two_folds, read_lines
from fgbench.runs.samples import Sample


def listed_lost(
    path: Path, lost: Sequence[Sample], groups: Mapping[str, str], *, group_by: str, n_folds: int
) -> dict[str, str]:
    """Folds of the lost clips that a fold file lists, by themselves or with their group.

    Args:
        path: The file, as :func:`fgbench.runs.folds.read_fold_file` reads it.
        lost: Clips that could not be read.
        groups: Group of usable clips to fold.
        group_by: Column whose values folds keep together.
        n_folds: Number of folds.

    Returns:
        Clip to fold.

    Raises:
        ConfigError: If the file cannot be read, or puts a group into two folds.
    """
    column, given = read_lines(path, group_by, n_folds)
    fold_of: dict[str, str] = {}
    seen = dict(groups)
    for clip in lost:
        fold = given.get(getattr(clip, column))
        if fold is None:
            continue
        fold_of[clip.clip_id] = fold
        group: str | None = getattr(clip, group_by)
        if group is not None and seen.setdefault(group, fold) != fold:
            raise in_two_folds(path, group_by, group, seen[group], fold)
    return fold_of


def fold_lost(
    lost: Sequence[Sample],
    groups: Mapping[str, str],
    *,
    group_by: str,
    n_folds: int,
    listed: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """Fold that tests each clip that could not be read.

    Args:
        lost: The clips.
        groups: Group of usable clips to fold.
        group_by: Column whose values folds keep together.
        n_folds: Number of folds.
        listed: Folds in a fold file, see :func:`listed_lost`.

    Returns:
        Clip to name of its fold, ``"1"`` to ``str(n_folds)``.
    """
    group_folds = _with_listed(lost, groups, group_by=group_by, listed=listed or {})
    fold_of = {}
    for clip in lost:
        group: str | None = getattr(clip, group_by)
        kind, name = ("clip_id", clip.clip_id) if group is None else (group_by, group)
        drawn = str(1 + hash_u64("lost", kind, name) % n_folds)
        own = (listed or {}).get(clip.clip_id)
        fold_of[clip.clip_id] = own or (drawn if group is None else group_folds.get(group, drawn))
    return fold_of


def kept_file_text(
    clips: Sequence[Sample],
    lost: Sequence[Sample],
    groups: Mapping[str, str],
    *,
    group_by: str,
    listed: Mapping[str, str],
) -> str:
    """Text of the fold file that a work folder keeps: by group, or by clip if a listed clip has none.

    Args:
        clips: The usable clips.
        lost: Clips that could not be read.
        groups: Group of usable clips to fold.
        group_by: Column whose values folds keep together.
        listed: Folds of lost clips in the file that it is made from.
    """
    if any(getattr(clip, group_by) is None for clip in lost if clip.clip_id in listed):
        usable = {clip.clip_id: groups[getattr(clip, group_by)] for clip in clips}
        return fold_file_text({**usable, **listed}, "clip_id")
    return fold_file_text(_with_listed(lost, groups, group_by=group_by, listed=listed), group_by)


def _with_listed(
    lost: Sequence[Sample], groups: Mapping[str, str], *, group_by: str, listed: Mapping[str, str]
) -> dict[str, str]:
    """Groups to folds, including groups without usable but with listed clips."""
    more = {getattr(clip, group_by): listed[clip.clip_id] for clip in lost if clip.clip_id in listed}
    more.pop(None, None)
    return {**more, **groups}
