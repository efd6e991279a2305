"""Results of one annotation of Label Studio: class, reserved answer, confidence and key frame."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fgbench.annotation.label_studio.labelling import ANSWERS, STARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """Results of an annotation.

    Attributes:
        label: Class or reserved answer; empty if none was given.
        confidence: 0 to 1; ``None`` if not given.
        frame: Number of the key frame as it was given; ``None`` if it was not.
        is_from_one: Whether that counts from 1, at the mean rate of the clip: a mark on a timeline.
        problem: ``(reason, detail)`` if it is not one vote.
    """

    label: str
    confidence: float | None
    frame: int | None
    is_from_one: bool
    problem: tuple[str, str] | None


def results_of(result: Any) -> Results:
    """Read the results of an annotation.

    Args:
        result: A list of regions, as in JSON; or a mapping of the name of a control to its value, as in
            JSON-MIN.
    """
    if (usual := _usual(result)) is not None:
        return usual
    labels: list[str] = []
    reserved: list[str] = []
    confidences: list[float] = []
    frames: list[int] = []
    is_from_one = False
    odd: list[str] = []
    for name, value in _values(result):
        if name == "label":
            labels += _paths(value, odd)
        elif name == "answer":
            reserved += _choices(value, odd)
        elif name == "confidence":
            confidences += _confidence(value, odd)
        elif name == "key_frame":
            marked = _marks(value, odd)
            is_from_one = is_from_one or bool(marked)
            frames += marked if _has_ranges(value) else _number(value, odd)
    problem = None
    if odd:
        problem = ("bad_answer", odd[0])
    elif len(set(labels)) > 1 or len(set(reserved)) > 1 or (labels and reserved):
        problem = ("several_answers", ", ".join(map(repr, dict.fromkeys([*labels, *reserved]))))
    elif not labels and not reserved:
        problem = ("no_answer", "neither a class nor an answer in its place")
    elif len(set(frames)) > 1:
        problem = ("several_key_frames", ", ".join(map(str, sorted(set(frames)))))
    elif len(set(confidences)) > 1:
        given = ", ".join(f"{one:g}" for one in sorted(set(confidences)))
        problem = ("several_answers", f"confidences {given}")
    return Results(
        label=next(iter([*reserved, *labels]), ""),
        confidence=confidences[-1] if confidences else None,
        frame=frames[0] if frames else None,
        is_from_one=is_from_one,
        problem=problem,
    )


def _usual(result: Any) -> Results | None:
    """Results of the usual annotation of JSON: one class, one mark on the timeline and stars, each once, and
    nothing else; ``None`` for any other, which takes longer to read."""
    if type(result) is not list or len(result) != 3:
        return None
    try:
        values = {region["from_name"]: region["value"] for region in result}
        (path,) = values["label"]["taxonomy"]
        (mark,) = values["key_frame"]["ranges"]
        stars, first, last = values["confidence"]["rating"], mark["start"], mark["end"]
        label = path[-1]
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    is_usual = type(path) is list and type(label) is str and type(stars) is type(first) is type(last) is int
    if len(values) != 3 or not is_usual or not 1 <= stars <= STARS:
        return None
    return Results(
        label=label, confidence=stars / STARS, frame=(first + last) // 2, is_from_one=True, problem=None
    )


def frame_of(marked: int, fps: float | None, times_s: Sequence[float] | None) -> int:
    """Return the frame, from 0, that a timeline shows at its frame ``marked``, from 1.

    A browser shows the frame that is due at a time; the timeline takes the mean rate for times.

    Args:
        marked: Frame of the timeline.
        fps: Mean rate of the clip.
        times_s: Times of its frames, where they come unevenly.
    """
    if times_s is None or fps is None:
        return marked - 1
    if not 1 <= marked <= len(times_s):
        return marked - 1
    return max(0, bisect_right(times_s, (marked - 1) / fps + _SLACK_S) - 1)


_SLACK_S = 1e-4
"""Rounding of times, s."""


def _values(result: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(result, Mapping):
        for name in ("label", "answer", "confidence", "key_frame"):
            value = result.get(name)
            for one in value if isinstance(value, list) and name != "answer" else [value]:
                if one is not None:
                    yield name, one
        return
    for region in result if isinstance(result, list) else []:
        if isinstance(region, Mapping) and isinstance(region.get("from_name"), str):
            yield region["from_name"], region.get("value")


def _paths(value: Any, odd: list[str]) -> list[str]:
    paths = value.get("taxonomy", value.get("choices")) if isinstance(value, Mapping) else value
    leaves = []
    for path in paths if isinstance(paths, list) else [paths]:
        leaf = path[-1] if isinstance(path, list) and path else path
        if isinstance(leaf, str):
            leaves.append(leaf)
        else:
            odd.append(f"label is {str(path)[:60]!r}, expected the path of a class")
    return leaves


def _choices(value: Any, odd: list[str]) -> list[str]:
    chosen = value.get("choices") if isinstance(value, Mapping) else value
    names = []
    for name in chosen if isinstance(chosen, list) else [chosen]:
        if isinstance(name, str) and name in ANSWERS:
            names.append(ANSWERS[name])
        elif isinstance(name, Mapping):
            names += _choices(name, odd)
        else:
            odd.append(f"answer is {str(name)[:60]!r}, expected one of {', '.join(ANSWERS)}")
    return names


def _confidence(value: Any, odd: list[str]) -> list[float]:
    stars = value.get("rating") if isinstance(value, Mapping) else value
    if isinstance(stars, int) and not isinstance(stars, bool) and 0 <= stars <= STARS:
        return [stars / STARS] if stars else []
    odd.append(f"confidence is {str(stars)[:60]!r}, expected 1 to {STARS} stars")
    return []


def _has_ranges(value: Any) -> bool:
    return isinstance(value, Mapping) and isinstance(value.get("ranges"), list) and bool(value["ranges"])


def _marks(value: Any, odd: list[str]) -> list[int]:
    marks = []
    for one in value["ranges"] if _has_ranges(value) else []:
        first, last = (
            (one.get(name) for name in ("start", "end")) if isinstance(one, Mapping) else (None, None)
        )
        if isinstance(first, int) and isinstance(last, int):
            marks.append((first + last) // 2)
        else:
            odd.append(f"key frame is {str(one)[:60]!r}, expected a range of frames from start to end")
    return marks


def _number(value: Any, odd: list[str]) -> list[int]:
    number = value.get("number") if isinstance(value, Mapping) else value
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if isinstance(number, int) and not isinstance(number, bool):
        return [number]
    odd.append(f"key frame is {str(number)[:60]!r}, expected the number of a frame")
    return []
