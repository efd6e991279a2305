"""``gold.csv``: clips with known answers, which are mixed among the others to check annotators.

Columns: clip, label, key_frame (optional). Not stated in the paper.
"""

from __future__ import annotations

from pathlib import Path

from fgbench.annotation.class_list import ClassList
from fgbench.datasets._annotation_table import GOLD as GOLD
from fgbench.datasets._annotation_table import read_annotations
from fgbench.datasets._clip_files import ClipFiles
from fgbench.datasets._tables import whole_number
from fgbench.errors import DatasetError
from fgbench.printable import text_of


def read_gold(path: Path, files: ClipFiles, classes: ClassList) -> dict[str, str]:
    """Clip id to class of the items with known answers.

    Args:
        path: The table.
        files: Files of the data set.
        classes: The classes.

    Raises:
        DatasetError: If it cannot be read, names a clip that is not there or twice, or a label that is no
            class.
    """
    if not path.is_file():
        raise DatasetError(f"no file {path}", "expected a table with the columns clip,label,key_frame")
    known: dict[str, str] = {}
    for row in read_annotations(path, required={"clip", "label"}, table=GOLD) or ():
        where = f"{path} line {row['_line']}"
        file = files.find(text_of(row["clip"]))
        if file.problem is not None:
            raise DatasetError(f"{where}: {file.problem[1]}", "correct the line, or take it out")
        label = classes.find(row["label"])
        if label is None:
            raise DatasetError(
                f"{where}: label {row['label'][:60]!r} is none of the {len(classes.classes)} classes",
                "fgbench labels lists those of a recipe",
            )
        frame = row.get("key_frame", "")
        if frame and whole_number(frame) is None:
            raise DatasetError(
                f"{where}: key_frame is {frame[:60]!r}, expected a whole number", "correct the line"
            )
        if file.clip_id in known:
            raise DatasetError(f"{where}: clip {file.clip_id} comes twice", "keep one line of it")
        known[file.clip_id] = label
    return known
