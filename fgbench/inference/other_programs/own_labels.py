"""Refusal of the data set's own labels where another program's predictions are meant: they are always right.

Reads the tables beside the clips, and compares bytes.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.datasets._annotation_table import ANNOTATIONS, GOLD, VOTES
from fgbench.datasets._unit_columns import FOLDER as UNITS_FOLDER
from fgbench.datasets._unit_columns import TABLE as UNITS
from fgbench.errors import DatasetError
from fgbench.files.hashing import digest_file
from fgbench.inference.other_programs.reading import files_of
from fgbench.workfolders.folder import has_tables_alone, read_origin


def refuse_own_labels(path: Path, workdir: Path) -> None:
    """Raise if a file, or one of a folder, has the labels of the data set, where it lies or as a copy.

    Args:
        path: File or folder of predictions.
        workdir: Work folder; of manifests without the clips nothing is known to compare with.

    Raises:
        DatasetError: If one is.
        ManifestError: If it is no work folder.
    """
    if has_tables_alone(workdir):
        return
    _, root = read_origin(workdir)
    own = {digest_file(table): table for table in _tables(root)}
    if not own:
        return
    for file in files_of(path):
        if table := own.get(digest_file(file)):
            raise DatasetError(
                f"{file} holds the labels of the data set ({table.relative_to(root).as_posix()}), expected "
                "what a program predicted; nothing was written",
                "name the file that the program wrote",
            )


def _tables(root: Path) -> list[Path]:
    """Return the tables of labels and votes of a user's own data set, sorted; none of other layouts."""
    named = [root / name for name in (ANNOTATIONS, VOTES, GOLD, UNITS)]
    units = root / UNITS_FOLDER
    return sorted(file for file in [*named, *(units.rglob("*") if units.is_dir() else ())] if file.is_file())
