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
from typing import Any

from fgbench import storage
from fgbench.audit.leak import KINDS, Leak
from fgbench.audit.leaks import Audit, Folder
from fgbench.audit.tables import pictures_by_id
from fgbench.errors import MediaError
from fgbench.media.images import decode, encode
from fgbench.naming import counted
from fgbench.provenance import provenance
from fgbench.reports.rendering.templates import fill

SHOWN = 60
"""Number of pairs of which pictures are shown."""

LISTED = 500
"""Number of findings of a kind that are listed; ``audit.json`` has all."""

GROUPS = 50
"""Number of groups of clips that are listed; ``audit.json`` has all."""

NAMED = 4
"""Number of clips that are named per group and part."""

NO_LOOKS = (
    "no pictures were compared, since no two parts have some: copies that were encoded anew are not found, "
    "only equal files, and shared clips, persons and sources"
)
"""Sentence for a comparison of clips without pictures, as of data sets with action units alone."""

_SIDE_PX = 160
_Pictures = Mapping[str, bytes]
Values = dict[str, Any]


def write_report(audit: Audit, *, shown: int = SHOWN) -> tuple[Path, Path]:
    """Write both files.

    Args:
        audit: Results of the audit.
        shown: Number of pairs of which pictures are shown.

    Returns:
        The JSON file and the page.

    Raises:
        ResourceError: If the folder cannot be written.
    """
    folder = audit.folder.path / "audit"
    stem = "audit" if audit.against is None else f"audit-against-{_file_name(audit.against.dataset)}"
    with_pictures = [leak for leak in audit.disallowed if leak.pictures is not None][:shown]
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
    """The page as HTML; all text from the data is escaped.

    Args:
        audit: Results of the audit.
        shown: Leaks of which pictures are shown, in this order.
        first: Encoded pictures of the first parts, by id.
        second: Encoded pictures of the second parts, by id.
    """
    title = f"Audit of {audit.folder.dataset}"
    if audit.against is not None:
        title += f" against {audit.against.dataset}"
    folders: list[Folder] = [audit.folder, *([audit.against] if audit.against is not None else [])]
    kept = {"clip_id": "clip", "source_id": "source", "subject_id": "subject"}[audit.folder.apart]
    what = "protocol keeps folds" if audit.folder.folds else "recipe keeps parts"
    allowed = [leak for leak in audit.leaks if leak.allowed]
    lists = [
        _listed("Leaks by name", audit.disallowed, is_open=True),
        _listed("Shared, which the recipe allows", allowed, is_open=False),
    ]
    return fill(
        "audit.html",
        title=title,
        synthetic=[folder.dataset for folder in folders if folder.synthetic],
        apart=f"{what} apart by {kept}",
        n_leaks=len(audit.disallowed),
        n_comparisons=audit.n_comparisons,
        no_looks="" if audit.n_looks or not audit.n_comparisons else NO_LOOKS,
        comparisons=comparisons(audit),
        counts=_counts(audit),
        compared=audit.compared,
        n_flat=audit.flat,
        flat=counted(audit.flat, "picture"),
        n_unreadable=len(audit.unreadable),
        unreadable=counted(len(audit.unreadable), "picture"),
        groups=_groups(audit),
        n_grouped=sum(group.n_clips for group in audit.groups),
        n_groups=counted(len(audit.groups), "group"),
        more_groups=len(audit.groups) - GROUPS,
        pairs=_pairs(shown, first, second),
        side_px=_SIDE_PX,
        lists=[one for one in lists if one["kinds"]],
    )


def comparisons(audit: Audit) -> str:
    """Number of comparisons, in words."""
    n = audit.n_comparisons
    what = "folds" if audit.folder.folds and audit.against is None else "parts"
    return (
        f"{n:,} {'comparison' if n == 1 else 'comparisons'} of two {what} ({audit.n_pairs:,} pairs of clips)"
    )


def _counts(audit: Audit) -> list[Values]:
    return [
        {
            "kind": KINDS[kind],  # type: ignore[index]
            "parts": f"{one}, {other}" if other else one,
            "leaks": leaks,
            "allowed": allowed,
        }
        for kind, one, other, leaks, allowed in audit.counts()
    ]


def _groups(audit: Audit) -> list[Values]:
    """The largest groups of clips that show the same, with the first clips of each part."""
    return [
        {
            "n_clips": group.n_clips,
            "parts": ", ".join(f"{part} {len(ids):,}" for part, ids in group.clips.items()),
            "named": "; ".join(
                f"{part}: {', '.join(ids[:NAMED])}{' …' if len(ids) > NAMED else ''}"
                for part, ids in group.clips.items()
            ),
        }
        for group in audit.groups[:GROUPS]
    ]


def _pairs(shown: Sequence[Leak], first: _Pictures, second: _Pictures) -> list[Values]:
    pairs = []
    for leak in shown:
        assert leak.pictures is not None
        one, other = leak.pictures
        sides = [
            {"name": f"{leak.first_part}: {one}", "jpeg": _small_jpeg(first.get(one))},
            {"name": f"{leak.second_part}: {other}", "jpeg": _small_jpeg(second.get(other))},
        ]
        pairs.append({"leak": leak, "sides": sides})
    return pairs


def _small_jpeg(data: bytes | None) -> str | None:
    """Base64 JPEG of a picture for the page; ``None`` if there is none or it cannot be decoded."""
    import cv2

    try:
        image = decode(data or b"")
    except MediaError:
        return None
    small = cv2.resize(image, (_SIDE_PX, _SIDE_PX), interpolation=cv2.INTER_AREA)
    return base64.b64encode(encode(small, "jpeg", 85)).decode("ascii")


def _partners(leak: Leak) -> str:
    """Clips of the other part that a clip is equal to, as far as they are listed."""
    if leak.n_partners < 2:
        return leak.second
    more = leak.n_partners - len(leak.partners)
    return ", ".join(leak.partners) + (f" and {more:,} more" if more else "")


def _listed(title: str, leaks: Sequence[Leak], *, is_open: bool) -> Values:
    kinds = []
    for kind, group in groupby(leaks, key=lambda leak: leak.kind):
        members = list(group)
        kinds.append(
            {
                "name": KINDS[kind],
                "n": len(members),
                "is_open": is_open and len(members) <= LISTED,
                "rows": [
                    (leak.first_part, leak.first, leak.second_part, _partners(leak), leak.detail)
                    for leak in members[:LISTED]
                ],
                "more": len(members) - LISTED,
            }
        )
    return {"title": title, "kinds": kinds}
