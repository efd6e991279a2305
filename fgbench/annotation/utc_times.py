"""Times of answers as they are written: UTC, whole seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

_UTC = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,6})?Z")
"""The usual form, of which nothing has to be converted."""


def utc_time(text: Any) -> str:
    """A time as ``YYYY-MM-DDThh:mm:ssZ``; empty if it is none."""
    if not isinstance(text, str):
        return ""
    if (usual := _UTC.fullmatch(text)) is not None:
        try:
            datetime.fromisoformat(usual[1])
        except ValueError:
            return ""
        return f"{usual[1]}Z"
    try:
        time = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    except ValueError:
        return ""
    try:
        whole = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return ""
    return f"{whole.replace(tzinfo=None).isoformat(timespec='seconds')}Z"
