"""Times of answers as they are written: UTC, whole seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any


def utc_time(text: Any) -> str:
    """A time as ``YYYY-MM-DDThh:mm:ssZ``; empty if it is none."""
    if not isinstance(text, str):
        return ""
    try:
        time = datetime.fromisoformat(re.sub(r"Z$", "+00:00", text))
    except ValueError:
        return ""
    try:
        whole = time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return ""
    return whole.strftime("%Y-%m-%dT%H:%M:%SZ")
