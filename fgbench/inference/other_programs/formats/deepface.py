"""JSON of DeepFace (``DeepFace.analyze(..., actions=["emotion"])``): seven expressions in percent.

A result is a list with an object per face: ``emotion`` (percent of each class), ``dominant_emotion``,
``region``, ``face_confidence``. It does not say which file it is of, so that whoever keeps results writes one
of:

- an object of file names to results, ``{"a.jpg": [{...}], ...}``;
- a list of results whose objects have ``file`` (or ``img_path``, ``path``, ``clip_id``), if need be ``frame``
  from 0;
- the bare result of one file, in a file that is called as it.

An empty result is of a picture without a face.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from fgbench.errors import DatasetError
from fgbench.inference.other_programs.cells import FRAMES, FURTHER_NAMES, NAMES
from fgbench.inference.other_programs.prediction_table import PredictionRow, PredictionTable
from fgbench.inference.other_programs.source import Source

ABOUT = "DeepFace.analyze JSON: seven expressions in percent"
IS_JSON = True

_EMOTION, _DOMINANT = "emotion", "dominant_emotion"
_HINT = "expected what DeepFace.analyze gives: objects with emotion and dominant_emotion"


def is_of(columns: Collection[str]) -> bool:
    """Whether a document is one of DeepFace: it has ``dominant_emotion``."""
    return _DOMINANT in columns


def read(source: Source) -> PredictionTable:
    """Return the predictions of a document.

    Raises:
        DatasetError: If its objects are none of DeepFace's.
    """
    faces = list(_faces(source, source.document, source.clip, source.path.name))
    classes: dict[str, None] = {}
    for _, _, _, face in faces:
        emotion = face.get(_EMOTION)
        classes.update(dict.fromkeys(emotion) if isinstance(emotion, dict) else {})
    rows = [
        PredictionRow(
            where=where,
            name=name,
            frame=frame,
            label=_label(where, face),
            scores=_scores(where, face, tuple(classes)),
        )
        for where, name, frame, face in faces
    ]
    if not rows:
        raise DatasetError(f"{source.path} has no result", _HINT)
    return PredictionTable(format="deepface", classes=tuple(classes), units=(), rows=rows)


def _faces(
    source: Source, content: Any, name: str, where: str
) -> Iterator[tuple[str, str, int | None, Mapping[str, Any]]]:
    """Yield position, name, frame and content of every face; of a file without a face, an empty one."""
    if isinstance(content, dict) and (_EMOTION in content or _DOMINANT in content):
        named = next(
            (content[key] for key in (*NAMES, *FURTHER_NAMES) if isinstance(content.get(key), str)), name
        )
        yield where, named, _frame(where, content), content
    elif isinstance(content, dict):
        for key, inner in content.items():
            if not isinstance(inner, dict | list):
                raise DatasetError(f"{where}, {str(key)[:60]!r}: {str(inner)[:40]!r}", _HINT)
            if inner == []:
                yield f"{where}, {key!r}", key, None, {}
            else:
                yield from _faces(source, inner, key, f"{where}, {key!r}")
    elif isinstance(content, list):
        for number, inner in enumerate(content, start=1):
            yield from _faces(source, inner, name, f"{where} result {number}")
    else:
        raise DatasetError(f"{where}: {str(content)[:40]!r}", _HINT)


def _frame(where: str, face: Mapping[str, Any]) -> int | None:
    value = next((face[name] for name in FRAMES if face.get(name) is not None), None)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise DatasetError(f"{where}: frame is {str(value)[:40]!r}, expected a whole number from 0 on", _HINT)
    return value


def _label(where: str, face: Mapping[str, Any]) -> str | None:
    label = face.get(_DOMINANT)
    if label is not None and not isinstance(label, str):
        raise DatasetError(
            f"{where}: {_DOMINANT} is {str(label)[:40]!r}, expected the name of a class", _HINT
        )
    return label


def _scores(where: str, face: Mapping[str, Any], classes: tuple[str, ...]) -> tuple[float, ...] | None:
    emotion = face.get(_EMOTION)
    if emotion is None:
        return None
    if not isinstance(emotion, dict) or set(emotion) != set(classes):
        raise DatasetError(
            f"{where}: {_EMOTION} is {str(emotion)[:60]!r}, expected percent of {', '.join(classes)}", _HINT
        )
    values = [emotion[name] for name in classes]
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        raise DatasetError(f"{where}: {_EMOTION} has values that are no numbers", _HINT)
    return tuple(map(float, values))
