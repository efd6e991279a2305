"""Content of ``confusion.csv``: the confusion matrix of a run."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from fgbench.evaluation.metrics import Counts
from fgbench.printable import cell_of

NO_PREDICTION = "no prediction"
"""Header of the column of samples without prediction."""


def confusion_csv(confusion: Counts, classes: Sequence[str]) -> str:
    """Counts with true classes in rows and predicted ones in columns, below a header line.

    Names that a spreadsheet would take for formulas are prefixed with an apostrophe.

    Args:
        confusion: (C, C + 1) confusion matrix; the last column counts samples without prediction.
        classes: C names of the classes.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["true", *map(cell_of, classes), NO_PREDICTION])
    writer.writerows([cell_of(label), *row] for label, row in zip(classes, confusion.tolist(), strict=True))
    return out.getvalue()
