"""Files of ELAN and Praat, written by hand as these programs write them."""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

Spans = list[tuple[float, float, str]]

_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n{doctype}'
    '<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-31T12:00:00+01:00" FORMAT="3.0" VERSION="3.0" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">\n'
    '<HEADER MEDIA_FILE="" TIME_UNITS="{units}">\n'
)


def write_eaf(
    path: Path,
    tiers: dict[str, Spans],
    *,
    media: str = "film.mp4",
    annotators: dict[str, str] | None = None,
    attribute: str = "ANNOTATOR",
    doctype: str = "",
    units: str = "milliseconds",
    origin_ms: int | None = None,
) -> Path:
    """Write an ELAN file; an annotation that begins at a negative time has no time."""
    origin = "" if origin_ms is None else f' TIME_ORIGIN="{origin_ms}"'
    lines = [_HEAD.format(doctype=doctype, units=units)]
    lines.append(
        f'<MEDIA_DESCRIPTOR MEDIA_URL="file:///C:/Users/anna/{media}" MIME_TYPE="video/mp4" '
        f'RELATIVE_MEDIA_URL="./{media}"{origin}/>\n</HEADER>\n<TIME_ORDER>\n'
    )
    slots, body, number = [], [], 0
    for name, spans in tiers.items():
        who = (annotators or {}).get(name)
        people = f" {attribute}={quoteattr(who)}" if who else ""
        body.append(f'<TIER LINGUISTIC_TYPE_REF="default" TIER_ID={quoteattr(name)}{people}>\n')
        for start, end, text in spans:
            for which, at in enumerate((start, end)):
                value = "" if start < 0 else f' TIME_VALUE="{round(at * 1000)}"'
                slots.append(f'<TIME_SLOT TIME_SLOT_ID="ts{2 * number + which + 1}"{value}/>\n')
            body.append(
                f'<ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a{number + 1}" '
                f'TIME_SLOT_REF1="ts{2 * number + 1}" TIME_SLOT_REF2="ts{2 * number + 2}">'
                f"<ANNOTATION_VALUE>{escape(text)}</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>\n"
            )
            number += 1
        body.append("</TIER>\n")
    lines += [*slots, "</TIME_ORDER>\n", *body]
    lines.append('<LINGUISTIC_TYPE GRAPHIC_REFERENCES="false" LINGUISTIC_TYPE_ID="default"/>\n')
    path.write_text("".join([*lines, "</ANNOTATION_DOCUMENT>\n"]), encoding="utf-8")
    return path


def textgrid(tiers: dict[str, Spans], length: float, *, is_short: bool = False) -> str:
    """A TextGrid: tiers of points where spans have no length, else of intervals that fill the time."""

    def line(name: str, value: object) -> str:
        return f"{value}\n" if is_short else f"{name} = {value} \n"

    def text(name: str, value: str) -> str:
        return line(name, '"' + value.replace('"', '""') + '"')

    parts = ['File type = "ooTextFile"\nObject class = "TextGrid"\n\n', line("xmin", 0), line("xmax", length)]
    parts.append("<exists>\n" if is_short else "tiers? <exists> \n")
    parts += [line("size", len(tiers)), "" if is_short else "item []: \n"]
    for number, (name, spans) in enumerate(tiers.items(), start=1):
        is_points = all(start == end for start, end, _ in spans) and bool(spans)
        kind = "TextTier" if is_points else "IntervalTier"
        items = spans if is_points else _filled(spans, length)
        what = "points" if is_points else "intervals"
        parts += ["" if is_short else f"    item [{number}]:\n", text("class", kind), text("name", name)]
        parts += [line("xmin", 0), line("xmax", length)]
        parts.append(line("size", len(items)) if is_short else f"        {what}: size = {len(items)} \n")
        for index, (start, end, label) in enumerate(items, start=1):
            parts.append("" if is_short else f"        {what} [{index}]:\n")
            parts += [line("number", start)] if is_points else [line("xmin", start), line("xmax", end)]
            parts.append(text("mark" if is_points else "text", label))
    return "".join(parts)


def _filled(spans: Spans, length: float) -> Spans:
    filled, at = [], 0.0
    for start, end, label in spans:
        filled += [(at, start, "")] if start > at else []
        filled.append((start, end, label))
        at = end
    return [*filled, (at, length, "")] if at < length else filled
