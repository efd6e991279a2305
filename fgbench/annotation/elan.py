"""Annotation files of ELAN (``.eaf``), read with pympi.

The file is XML. It is refused where it declares a document type, before pympi parses it: entities could name
other files, or grow without end. pympi reads a copy of the bytes that were checked.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from fgbench.annotation.timelines import MOST_BYTES, MOST_SPANS, Medium, Span, Tier, Timeline
from fgbench.datasets._xml import parsed_xml
from fgbench.errors import DatasetError, MediaError, package_missing
from fgbench.files.regular_files import read_regular

_ROOT = "ANNOTATION_DOCUMENT"
_MILLISECONDS = "milliseconds"
_IDENTIFIERS = {
    "TIER": "TIER_ID",
    "TIME_SLOT": "TIME_SLOT_ID",
    "ALIGNABLE_ANNOTATION": "ANNOTATION_ID",
    "REF_ANNOTATION": "ANNOTATION_ID",
}
"""Element to the attribute that tells it from others."""
_ADVICE = "open it in ELAN and save it anew"


def read_elan(path: Path) -> Timeline:
    """Read the annotations of a recording.

    The annotator of a tier is its ``ANNOTATOR``, else its ``PARTICIPANT``. Each recording has the time origin
    of its own descriptor.

    Args:
        path: The file.

    Raises:
        DatasetError: If it cannot be read, is larger than 32 MiB, no ELAN file, declares a document type,
            counts its time otherwise than in milliseconds, or gives two things one identifier.
        DependencyError: If pympi is not installed.
    """
    try:
        data = read_regular(path, max_bytes=MOST_BYTES)
    except MediaError as error:
        raise DatasetError(error.message, _ADVICE) from error
    root = parsed_xml(data, path, advice=_ADVICE)
    if root.tag != _ROOT:
        raise DatasetError(f"{path} is no ELAN file: its root is {root.tag[:60]}, expected {_ROOT}", _ADVICE)
    _refuse_doubles(root, path)
    document = _document(data, path)
    unit = document.header.get("TIME_UNITS", _MILLISECONDS)
    if unit != _MILLISECONDS:
        raise DatasetError(f"{path} counts its time in {unit[:60]}, expected {_MILLISECONDS}", _ADVICE)
    tiers = tuple(_tier(document, name) for name in document.tiers)
    if sum(len(tier.spans) for tier in tiers) > MOST_SPANS:
        raise DatasetError(f"{path} has more than {MOST_SPANS:,} annotations", "divide the file")
    media = tuple(medium for one in document.media_descriptors for medium in _media(one, path))
    return Timeline(media=media or (Medium(name=path.stem),), tiers=tiers)


def _refuse_doubles(root: Element, path: Path) -> None:
    """Refuse a file of two tiers, annotations or time slots of one identifier: pympi keeps one in silence."""
    seen: set[tuple[str, str]] = set()
    for element in root.iter():
        attribute = _IDENTIFIERS.get(element.tag)
        name = element.get(attribute) if attribute else None
        if attribute is None or name is None:
            continue
        if (attribute, name) in seen:
            raise DatasetError(f"{path} has two elements of the {attribute} {name[:60]!r}", _ADVICE)
        seen.add((attribute, name))


def _document(data: bytes, path: Path) -> Any:
    """The file as pympi has it.

    Raises:
        DatasetError: If pympi cannot read it.
        DependencyError: If pympi is not installed.
    """
    try:
        from pympi.Elan import Eaf
    except ImportError as error:
        raise package_missing("annotations of ELAN need", "pympi-ling", extra="annotate") from error
    with tempfile.TemporaryDirectory(prefix="fgbench-") as folder:
        copy = Path(folder) / "copy.eaf"
        copy.write_bytes(data)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # on versions of the format
                return Eaf(str(copy), suppress_version_warning=True)
        except Exception as error:  # pympi raises whatever its parsing runs into
            raise DatasetError(f"{path} is no ELAN file: {_sentence(error)}", _ADVICE) from error


def _sentence(error: Exception) -> str:
    """Text of an error of pympi on one line."""
    if isinstance(error, KeyError):
        return f"it lacks {str(error.args[0]).rpartition('}')[2][:200]}"
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__} {text}" if type(error) is not Exception else text


def _tier(document: Any, name: str) -> Tier:
    aligned, referring, attributes, _ = document.tiers[name]
    times = document.timeslots
    spans, untimed = [], 0
    for start, end, text, _ in aligned.values():
        begin_ms, end_ms = times.get(start), times.get(end)
        if begin_ms is None or end_ms is None:
            untimed += 1
            continue
        spans.append(Span(begin_ms / 1000, end_ms / 1000, (text or "").strip()))
    for reference, text, _, _ in referring.values():
        ends = _parent_times(document, reference)
        if ends is None:
            untimed += 1
            continue
        spans.append(Span(ends[0] / 1000, ends[1] / 1000, (text or "").strip()))
    annotator = attributes.get("ANNOTATOR") or attributes.get("PARTICIPANT") or ""
    return Tier(
        name=name,
        annotator=annotator.strip(),
        spans=tuple(sorted(spans, key=lambda span: (span.start_s, span.end_s, span.text))),
        n_untimed=untimed,
    )


def _parent_times(document: Any, reference: str) -> tuple[int, int] | None:
    """Times, in milliseconds, of the annotation that another refers to; ``None`` if it has none."""
    seen = set()
    while reference not in seen:
        seen.add(reference)
        tier = document.annotations.get(reference)
        if tier is None:
            return None
        aligned, referring, _, _ = document.tiers[tier]
        if reference in aligned:
            begin, end = (document.timeslots.get(slot) for slot in aligned[reference][:2])
            return None if begin is None or end is None else (begin, end)
        reference = referring[reference][0]
    return None


def _media(descriptor: Mapping[str, str], path: Path) -> Iterable[Medium]:
    """Paths of the recording of a descriptor, without ``file:`` and escapes, with its time origin."""
    origin_s = _whole(descriptor.get("TIME_ORIGIN", "0"), path) / 1000
    for attribute in ("RELATIVE_MEDIA_URL", "MEDIA_URL"):
        name = unquote(descriptor.get(attribute, "")).removeprefix("file:").removeprefix("./").strip()
        if name:
            yield Medium(name=name, origin_s=origin_s)


def _whole(text: str, path: Path) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise DatasetError(
            f"{path} has the time origin {text[:60]!r}, expected a whole number", _ADVICE
        ) from error
