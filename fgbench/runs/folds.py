"""Folds of a data set by subject, source or clip: dealt from public ids, written to a file, read back.

A fold file is CSV with a header, ``subject_id,fold`` (or ``source_id,fold``, ``clip_id,fold``), one line per
id and folds numbered from 1. It holds ids only, so that it can be published. Ids that a spreadsheet would
take for formulas are prefixed with an apostrophe (`fgbench.printable.cell_of`).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fgbench.errors import ConfigError, DatasetError, MediaError
from fgbench.files.regular_files import read_regular
from fgbench.printable import cell_of, text_of
from fgbench.runs.samples import Sample

GROUPS = ("subject_id", "source_id", "clip_id")
"""Columns whose values folds may keep together, and which a fold file may list."""

_SHOWN = 3
_MAX_BYTES = 256 << 20  # two million lines of a hundred letters


def natural_key(text: str) -> tuple[object, ...]:
    """Key that sorts numbers within ids by their value: ``s2`` before ``s10``; the same on every machine."""
    key: list[object] = []
    for number, part in enumerate(re.split(r"([0-9]+)", text)):
        digits = part.lstrip("0")
        key.append((len(digits), digits) if number % 2 else part)  # words and numbers alternate
    return tuple(key), text


def deal(groups: Iterable[str], n_folds: int) -> dict[str, str]:
    """Folds of groups (mostly subjects): sorted by :func:`natural_key` and dealt in turn.

    The first group goes to fold 1, the second to fold 2, and after the last fold comes fold 1 again: the
    "ascending order of ids in steps of ten" of the papers on CK+. Folds follow from the ids alone.

    Args:
        groups: Ids; repetitions do not matter.
        n_folds: At least 3: one tests, one selects, the others train.

    Returns:
        Group to name of its fold, ``"1"`` to ``str(n_folds)``.

    Raises:
        ConfigError: If there are fewer than 3 folds.
        DatasetError: If there are fewer groups than folds.
    """
    check_number(n_folds)
    ordered = sorted(set(groups), key=natural_key)
    if len(ordered) < n_folds:
        raise DatasetError(
            f"{len(ordered)} groups for {n_folds} folds, expected at least as many",
            "ask for fewer folds in the protocol of the data set",
        )
    return {group: str(1 + number % n_folds) for number, group in enumerate(ordered)}


def check_number(n_folds: int) -> None:
    """Refuse too few folds.

    Raises:
        ConfigError: If there are fewer than 3.
    """
    if n_folds < 3:
        raise ConfigError(
            f"a protocol of {n_folds} folds, expected at least 3",
            "one fold tests, one selects, and the others train",
        )


def group_of(sample: Sample, group_by: str) -> str:
    """Group that a sample may not be divided from.

    Raises:
        DatasetError: If it is unknown.
    """
    group: str | None = getattr(sample, group_by)
    if group is None:
        raise DatasetError(
            f"the {group_by} of clip {sample.clip_id!r} is not known, but the protocol divides by it",
            "name it in the data set's labels, or divide by clip_id",
        )
    return group


def fold_file_text(fold_of: Mapping[str, str], group_by: str) -> str:
    """Text of a fold file, sorted by :func:`natural_key`."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([group_by, "fold"])
    writer.writerows([[cell_of(group), fold_of[group]] for group in sorted(fold_of, key=natural_key)])
    return out.getvalue()


def read_fold_file(
    path: Path, clips: Sequence[Sample], *, group_by: str, n_folds: int, lost: Sequence[Sample] = ()
) -> dict[str, str]:
    """Read the folds of all groups from a file and check that they divide the groups.

    Args:
        path: The file; its first column may hold other ids than the groups, e.g. clips where groups are
            subjects.
        clips: All usable clips of the work folder.
        group_by: Column whose values folds keep together, one of :data:`GROUPS`.
        n_folds: Number of folds.
        lost: Clips that could not be read; the file may list them, see `fgbench.runs.lost_folds`.

    Returns:
        Group of usable clips to name of its fold.

    Raises:
        ConfigError: If the file cannot be read, has another header, names a fold outside 1 to ``n_folds`` or
            an unknown id, leaves an id or a fold out, or puts a group into two folds.
        DatasetError: If the group of a clip is unknown.
    """
    check_number(n_folds)
    column, given = read_lines(path, group_by, n_folds)
    ids = {group_of(clip, column) for clip in clips}
    of_lost = {getattr(clip, column) for clip in lost}
    for names, what in ((given.keys() - ids - of_lost, "unknown"), (ids - given.keys(), "missing")):
        if names:
            some = sorted(names, key=natural_key)[:_SHOWN]
            raise ConfigError(
                f"{path} has {len(names)} {what} ids of column {column}: {', '.join(some)}",
                "a fold file has a line for every one of the work folder's, and no others; delete it to have "
                "it made anew",
            )
    fold_of: dict[str, str] = {}
    for clip in clips:
        fold = given[group_of(clip, column)]
        group = group_of(clip, group_by)
        if fold_of.setdefault(group, fold) != fold:
            raise in_two_folds(path, group_by, group, fold_of[group], fold)
    if absent := {str(number) for number in range(1, n_folds + 1)} - set(fold_of.values()):
        raise ConfigError(
            f"{path} has no {group_by} in fold {min(absent, key=natural_key)}, expected {n_folds} folds",
            "give every fold some",
        )
    return fold_of


def read_lines(path: Path, group_by: str, n_folds: int) -> tuple[str, dict[str, str]]:
    """Read a fold file without comparing it with a work folder.

    Args:
        path: The file.
        group_by: Expected column, for messages.
        n_folds: Number of folds.

    Returns:
        Name of the first column, and id to name of its fold.

    Raises:
        ConfigError: If the file cannot be read, has another header, names a fold outside 1 to ``n_folds``, or
            puts an id into two folds.
    """
    try:
        text = read_regular(path, max_bytes=_MAX_BYTES).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text, newline="")) if row]
    except MediaError as error:
        raise ConfigError(f"cannot read the fold file: {error.message}", "name a CSV file") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read the fold file {path}: {error}", "name a CSV file") from error
    head = [name.strip() for name in rows[0]] if rows else []
    if len(head) != 2 or head[0] not in GROUPS or head[1] != "fold":
        raise ConfigError(
            f"{path} begins with {','.join(head)!r}, expected {group_by!r} and 'fold'",
            f"give it a head, e.g. {group_by},fold",
        )
    names = {str(number) for number in range(1, n_folds + 1)}
    fold_of: dict[str, str] = {}
    for number, row in enumerate(rows[1:], start=2):
        values = [value.strip() for value in row]
        if len(values) != 2 or values[1] not in names:
            raise ConfigError(
                f"{path}, line {number}: {','.join(values)!r}, expected an id and a fold from 1 to {n_folds}",
                "mend the line",
            )
        name, fold = text_of(values[0]), values[1]
        if fold_of.setdefault(name, fold) != fold:
            raise in_two_folds(path, head[0], name, fold_of[name], fold)
    return head[0], fold_of


def in_two_folds(path: Path, group_by: str, group: str, first: str, second: str) -> ConfigError:
    """Error for a fold file that divides a group."""
    return ConfigError(
        f"{path} puts {group_by} {group!r} into folds {first} and {second}, expected one",
        "what is trained on must not be tested on: put all of it into one fold",
    )
