"""Folds of clips that could not be read: each is tested in exactly one, as a sample without prediction.

A fold file that lists such a clip, or its group, tells its fold. Else it is where its group is. A group
without usable clips has the fold that a hash of its name gives, and a clip whose group is not known the one
that a hash of its own id gives. So no usable clip is in another fold for it.
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
        group_by: What folds have to keep together.
        n_folds: Number of folds.

    Returns:
        Clip to fold.

    Raises:
        ConfigError: If the file cannot be read, or puts a group into two folds.
    """
    column, given = read_lines(path, group_by, n_folds)
    found: dict[str, str] = {}
    seen = dict(groups)
    for clip in lost:
        fold = given.get(getattr(clip, column))
        if fold is None:
            continue
        found[clip.clip_id] = fold
        group: str | None = getattr(clip, group_by)
        if group is not None and seen.setdefault(group, fold) != fold:
            raise in_two_folds(path, group_by, group, seen[group], fold)
    return found


def fold_lost(
    lost: Sequence[Sample],
    groups: Mapping[str, str],
    *,
    group_by: str,
    n_folds: int,
    listed: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The fold that tests each clip that could not be read.

    Args:
        lost: The clips.
        groups: Group of usable clips to fold.
        group_by: What folds keep together.
        n_folds: Number of folds.
        listed: What a fold file says, see :func:`listed_lost`.

    Returns:
        Clip to name of its fold, ``"1"`` to ``str(n_folds)``.
    """
    known = _with_listed(lost, groups, group_by=group_by, listed=listed or {})
    found = {}
    for clip in lost:
        group: str | None = getattr(clip, group_by)
        kind, name = ("clip_id", clip.clip_id) if group is None else (group_by, group)
        drawn = str(1 + hash_u64("lost", kind, name) % n_folds)
        own = (listed or {}).get(clip.clip_id)
        found[clip.clip_id] = own or (drawn if group is None else known.get(group, drawn))
    return found


def kept_file_text(
    clips: Sequence[Sample],
    lost: Sequence[Sample],
    groups: Mapping[str, str],
    *,
    group_by: str,
    listed: Mapping[str, str],
) -> str:
    """The fold file that a work folder keeps: by group, or by clip if the group of a listed one is unknown.

    Args:
        clips: The usable clips.
        lost: Clips that could not be read.
        groups: Group of usable clips to fold.
        group_by: What folds keep together.
        listed: What the file that it is made from says of lost clips.
    """
    if any(getattr(clip, group_by) is None for clip in lost if clip.clip_id in listed):
        usable = {clip.clip_id: groups[getattr(clip, group_by)] for clip in clips}
        return fold_file_text({**usable, **listed}, "clip_id")
    return fold_file_text(_with_listed(lost, groups, group_by=group_by, listed=listed), group_by)


def _with_listed(
    lost: Sequence[Sample], groups: Mapping[str, str], *, group_by: str, listed: Mapping[str, str]
) -> dict[str, str]:
    """Groups to folds, also of groups that have no usable clip but a listed one."""
    more = {getattr(clip, group_by): listed[clip.clip_id] for clip in lost if clip.clip_id in listed}
    more.pop(None, None)
    return {**more, **groups}
