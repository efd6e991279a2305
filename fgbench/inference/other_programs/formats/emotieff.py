"""Tables of scores of EmotiEffLib or HSEmotion: seven or eight expressions of AffectNet.

The library gives an array, which its users write with its own names of the classes as columns: ``Anger``,
``Contempt`` (not of models of seven), ``Disgust``, ``Fear``, ``Happiness``, ``Neutral``, ``Sadness``,
``Surprise``, of multi-task models also ``Valence`` and ``Arousal``, which are not read. Beside them the file
(``clip_id``, ``file``, ``path``, ``image``, ``video``), ``frame`` (from 0) and ``emotion``, the name of the
class. Scores have to be probabilities: ``predict_emotions(..., logits=False)``.
"""

from __future__ import annotations

from collections.abc import Collection

from fgbench.inference.other_programs.cells import column_rows
from fgbench.inference.other_programs.prediction_table import PredictionTable
from fgbench.inference.other_programs.source import Source

ABOUT = "EmotiEffLib / HSEmotion CSV: seven or eight expressions of AffectNet"

_CLASSES = ("Anger", "Contempt", "Disgust", "Fear", "Happiness", "Neutral", "Sadness", "Surprise")
_MARKS = frozenset({"valence", "arousal", "emotion"})


def is_of(columns: Collection[str]) -> bool:
    """Whether a table is one of EmotiEffLib: the seven classes, and valence, arousal or ``emotion``."""
    seven = {name.lower() for name in _CLASSES if name != "Contempt"}
    others = any(name.startswith("facerect") for name in columns)
    return seven <= set(columns) and not _MARKS.isdisjoint(columns) and not others


def read(source: Source) -> PredictionTable:
    """Return the predictions of a table.

    Raises:
        DatasetError: If a cell is no number.
    """
    classes = [name for name in _CLASSES if name.lower() in source.column_of]
    indices = [source.column_of[name.lower()] for name in classes]
    label = source.column_of.get("emotion", source.column_of.get("label"))

    return PredictionTable(
        format="emotieff",
        classes=tuple(classes),
        units=(),
        rows=column_rows(source, classes=indices, label=label),
    )
