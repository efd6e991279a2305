"""Report of an audit: ``audit.json`` with everything, ``audit.html`` with pictures of the worst pairs.

Reads the pictures that it shows from the manifests; writes into ``audit/`` of the work folder. The page is
one file without scripts that needs no network.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path

from fgbench import storage
from fgbench.errors import MediaError
from fgbench.evaluation.audit import Audit, Folder
from fgbench.evaluation.audited_tables import pictures_by_id
from fgbench.evaluation.leakage import KINDS, Leak
from fgbench.images import decode, encode
from fgbench.naming import counted
from fgbench.printable import markup_of
from fgbench.provenance import provenance

SHOWN = 60
"""Pairs of which pictures are shown."""

LISTED = 500
"""Findings of a kind that are listed by name; ``audit.json`` has all."""

GROUPS = 50
"""Groups of clips that are listed; ``audit.json`` has all."""

NAMED = 4
"""Clips of a group and part that are named."""

_SIDE_PX = 160
_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 64rem; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { border: 1px solid #8888; padding: .3rem .7rem; text-align: left; vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
td { overflow-wrap: anywhere; }
.pairs { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fill, minmax(21rem, 1fr)); padding: 0; }
.pairs li { list-style: none; border: 1px solid #8888; border-radius: .4rem; padding: .7rem; }
.pairs figure { display: flex; gap: .5rem; margin: 0 0 .5rem; }
.pairs img { width: 9.5rem; height: 9.5rem; }
.pairs p { margin: .2rem 0; overflow-wrap: anywhere; }
.note { border-left: .3rem solid #c60; padding: .3rem .8rem; }
.good { border-left: .3rem solid #283; padding: .3rem .8rem; }
.bad { border-left: .3rem solid #b22; padding: .3rem .8rem; }
summary { cursor: pointer; font-weight: 600; }
""".strip()

_Pictures = Mapping[str, bytes]


def write_report(audit: Audit, *, shown: int = SHOWN) -> tuple[Path, Path]:
    """Write both files.

    Args:
        audit: What was found.
        shown: Pairs of which pictures are shown.

    Returns:
        The JSON file and the page.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    folder = audit.folder.path / "audit"
    stem = "audit" if audit.against is None else f"audit-against-{_file_name(audit.against.dataset)}"
    with_pictures = [leak for leak in audit.found if leak.pictures is not None][:shown]
    wanted = [leak.pictures for leak in with_pictures if leak.pictures is not None]
    first = pictures_by_id(audit.folder.manifests, {one for one, _ in wanted})
    other = (audit.against or audit.folder).manifests
    second = pictures_by_id(other, {two for _, two in wanted})
    data, page = folder / f"{stem}.json", folder / f"{stem}.html"
    storage.write_json(data, {**audit.to_json(), "provenance": provenance()})
    storage.write_text(page, audit_page(audit, with_pictures, first, second))
    return data, page


def _file_name(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9.-]+", "-", name).strip(".-")[:80] or "other"


def audit_page(audit: Audit, shown: Sequence[Leak], first: _Pictures, second: _Pictures) -> str:
    """The page as HTML; every text that comes from the data is escaped.

    Args:
        audit: What was found.
        shown: Leaks of which pictures are shown, in this order.
        first: Encoded pictures of the first parts, by id.
        second: Encoded pictures of the second parts, by id.
    """
    title = f"Audit of {audit.folder.dataset}"
    if audit.against is not None:
        title += f" against {audit.against.dataset}"
    lines = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
        "style-src 'unsafe-inline'\">",
        f"<title>{markup_of(title)}</title>",
        f"<style>\n{_STYLE}\n</style>",
        "</head>",
        "<body>",
        "<main>",
        f"<h1>{markup_of(title)}</h1>",
        *_notes(audit),
        *_verdict(audit),
        *_compared(audit),
        *_groups(audit),
        *_pairs(shown, len(audit.found), first, second),
        *_listed("Leaks by name", audit.found, is_open=True),
        *_listed(
            "Shared, which the recipe allows", [leak for leak in audit.leaks if leak.allowed], is_open=False
        ),
        "</main>",
        "</body>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _notes(audit: Audit) -> list[str]:
    lines = []
    folders: list[Folder] = [audit.folder, *([audit.against] if audit.against is not None else [])]
    for folder in folders:
        if folder.synthetic:
            lines.append(
                f'<p class="note">{markup_of(folder.dataset)} is synthetic: drawn faces. Nothing measured '
                "on it says anything of real faces.</p>"
            )
    kept = {"clip_id": "clip", "source_id": "source", "subject_id": "subject"}[audit.folder.apart]
    what = "protocol keeps folds" if audit.folder.folds else "recipe keeps parts"
    lines.append(f"<p>The {what} apart by {kept}. Augmented copies are not compared.</p>")
    return lines


def comparisons(audit: Audit) -> str:
    """How much was compared, in words."""
    n = audit.n_comparisons
    what = "folds" if audit.folder.folds and audit.against is None else "parts"
    return (
        f"{n:,} {'comparison' if n == 1 else 'comparisons'} of two {what} ({audit.n_pairs:,} pairs of clips)"
    )


def _verdict(audit: Audit) -> list[str]:
    n_leaks = len(audit.found)
    if not n_leaks and not audit.n_comparisons:
        return [
            '<p class="bad"><strong>Nothing was compared:</strong> no two parts have clips, so that nothing '
            "is said of leaks.</p>"
        ]
    if not n_leaks:
        return [f'<p class="good"><strong>No leak was found</strong> in {comparisons(audit)}.</p>']
    said = "One leak was" if n_leaks == 1 else f"{n_leaks:,} leaks were"
    lines = [f'<p class="bad"><strong>{said} found.</strong></p>']
    lines += ["<table>", "<caption>What was found</caption>"]
    lines.append(
        '<tr><th scope="col">what</th><th scope="col">parts</th><th scope="col" class="n">leaks</th>'
        '<th scope="col" class="n">allowed</th></tr>'
    )
    for kind, one, other, leaks, allowed in audit.counts():
        parts = f"{one}, {other}" if other else one
        lines.append(
            f'<tr><th scope="row">{markup_of(KINDS[kind])}</th><td>{markup_of(parts)}</td>'  # type: ignore[index]
            f'<td class="n">{leaks:,}</td><td class="n">{allowed:,}</td></tr>'
        )
    return [*lines, "</table>"]


def _compared(audit: Audit) -> list[str]:
    heads = ("clips", "pictures", "clips without a picture", "without subject", "without source")
    lines = ["<table>", "<caption>What was compared (first part / second part)</caption>", "<tr>"]
    lines += [
        '<th scope="col">parts</th>',
        *(f'<th scope="col" class="n">{head}</th>' for head in heads),
        "</tr>",
    ]
    for pair in audit.compared:
        lines.append(f'<tr><th scope="row">{markup_of(pair.first)} / {markup_of(pair.second)}</th>')
        for one, other in (
            pair.clips,
            pair.pictures,
            pair.without_pictures,
            pair.without_subject,
            pair.without_source,
        ):
            lines.append(f'<td class="n">{one:,} / {other:,}</td>')
        lines.append("</tr>")
    lines.append("</table>")
    if audit.flat:
        lines.append(
            f"<p>{counted(audit.flat, 'picture')} of nothing (black, or of one colour): not compared.</p>"
        )
    if audit.unreadable:
        lines.append(f"<p>{counted(len(audit.unreadable), 'picture')} cannot be decoded: not compared.</p>")
    return lines


def _groups(audit: Audit) -> list[str]:
    """The largest groups of clips that show the same, with the first clips of each part."""
    if not audit.groups:
        return []
    n_clips = sum(group.n_clips for group in audit.groups)
    lines = ["<h2>Groups</h2>"]
    lines.append(
        f"<p>{n_clips:,} clips of two parts or more show the same as others, in "
        f"{counted(len(audit.groups), 'group')}: equal files, equal pictures and nearly equal "
        "faces, directly or by way of others.</p>"
    )
    lines += ["<table>", "<caption>The largest groups</caption>"]
    lines.append(
        '<tr><th scope="col" class="n">clips</th><th scope="col">in the parts</th>'
        '<th scope="col">among them</th></tr>'
    )
    for group in audit.groups[:GROUPS]:
        parts = ", ".join(f"{part} {len(ids):,}" for part, ids in group.clips.items())
        named = "; ".join(
            f"{part}: {', '.join(ids[:NAMED])}{' …' if len(ids) > NAMED else ''}"
            for part, ids in group.clips.items()
        )
        lines.append(
            f'<tr><td class="n">{group.n_clips:,}</td><td>{markup_of(parts)}</td>'
            f"<td>{markup_of(named)}</td></tr>"
        )
    lines.append("</table>")
    if len(audit.groups) > GROUPS:
        lines.append(f"<p>{len(audit.groups) - GROUPS:,} more are in the JSON file.</p>")
    return lines


def _pairs(shown: Sequence[Leak], n_leaks: int, first: _Pictures, second: _Pictures) -> list[str]:
    if not shown:
        return []
    lines = ["<h2>Pairs</h2>"]
    if n_leaks > len(shown):
        lines.append(
            f"<p>The {len(shown):,} worst with pictures; {n_leaks - len(shown):,} more are not shown.</p>"
        )
    lines.append('<ul class="pairs">')
    for leak in shown:
        assert leak.pictures is not None
        one, other = leak.pictures
        lines += [
            "<li>",
            "<figure>",
            _image(first.get(one), f"{leak.first_part}: {one}"),
            _image(second.get(other), f"{leak.second_part}: {other}"),
            "</figure>",
            f"<p><strong>{markup_of(leak.kind.replace('_', ' '))}</strong>: {markup_of(leak.detail)}</p>",
            f"<p>{markup_of(leak.first_part)}: {markup_of(leak.first)}</p>",
            f"<p>{markup_of(leak.second_part)}: {markup_of(leak.second)}</p>",
            "</li>",
        ]
    return [*lines, "</ul>"]


def _image(data: bytes | None, description: str) -> str:
    import cv2

    try:
        image = decode(data or b"")
    except MediaError:
        return f"<span>no picture of {markup_of(description)}</span>"
    small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    text = base64.b64encode(encode(small, "jpeg", 85)).decode("ascii")
    size = f'width="{_SIDE_PX}" height="{_SIDE_PX}"'
    return f'<img src="data:image/jpeg;base64,{text}" alt="{markup_of(description)}" {size}>'


def _partners(leak: Leak) -> str:
    """What a clip is equal to in the other part, as far as it is listed."""
    if leak.n_partners < 2:
        return leak.second
    more = leak.n_partners - len(leak.partners)
    return ", ".join(leak.partners) + (f" and {more:,} more" if more else "")


def _listed(title: str, leaks: Sequence[Leak], *, is_open: bool) -> list[str]:
    if not leaks:
        return []
    lines = [f"<h2>{markup_of(title)}</h2>"]
    for kind, group in groupby(leaks, key=lambda leak: leak.kind):
        found = list(group)
        lines.append(f"<details{' open' if is_open and len(found) <= LISTED else ''}>")
        lines.append(f"<summary>{len(found):,} {markup_of(KINDS[kind])}</summary>")
        lines.append("<table>")
        lines.append(
            '<tr><th scope="col">part</th><th scope="col">id</th><th scope="col">part</th>'
            '<th scope="col">id</th><th scope="col">detail</th></tr>'
        )
        for leak in found[:LISTED]:
            cells = (leak.first_part, leak.first, leak.second_part, _partners(leak), leak.detail)
            lines.append(f"<tr>{''.join(f'<td>{markup_of(cell)}</td>' for cell in cells)}</tr>")
        lines.append("</table>")
        if len(found) > LISTED:
            lines.append(f"<p>{len(found) - LISTED:,} more are in the JSON file.</p>")
        lines.append("</details>")
    return lines
