"""Progress bars below the cell of a notebook, in plain HTML: no widget, nothing to install."""

from __future__ import annotations

import time
from html import escape
from typing import Any

_LEAST_S = 0.1
"""Time from one drawing to the next."""

_ROW = "display:grid;grid-template-columns:9em 16em auto;gap:1em;align-items:center;font-family:monospace"


class NotebookBars:
    """Bars of one call, one per name; they stay as they are at its end."""

    def __init__(self) -> None:
        self._counts: dict[str, tuple[int, int]] = {}
        self._began_s: dict[str, float] = {}
        self._ended_s: dict[str, float] = {}
        self._shown: Any = None
        self._drawn_s = 0.0

    def update(self, name: str, done: int, total: int) -> None:
        """Show how much of a name is done, of how much; a total of 0 shows nothing."""
        if not total:
            return
        now = time.monotonic()
        self._began_s.setdefault(name, now)
        self._counts[name] = done, total
        if done >= total:
            self._ended_s.setdefault(name, now)
        if now - self._drawn_s >= _LEAST_S:
            self._draw(now)

    def close(self) -> None:
        """Show the last state."""
        if self._counts:
            self._draw(time.monotonic())

    def _draw(self, now: float) -> None:
        from IPython.display import DisplayHandle

        self._drawn_s = now
        bundle = {"text/html": self._html(now), "text/plain": self._text()}
        if self._shown is None:
            self._shown = DisplayHandle()
            self._shown.display(bundle, raw=True)
        else:
            self._shown.update(bundle, raw=True)

    def _html(self, now: float) -> str:
        rows = []
        for name, (done, total) in self._counts.items():
            seconds = self._ended_s.get(name, now) - self._began_s[name]
            left = "" if done >= total or not done else f", {seconds * (total - done) / done:.0f} s left"
            bar = f'<progress value="{done}" max="{total}" style="width:100%"></progress>'
            words = f"{done:,} of {total:,}, {seconds:.0f} s{left}"
            rows.append(f'<div style="{_ROW}"><span>{escape(name)}</span>{bar}<span>{words}</span></div>')
        return "".join(rows)

    def _text(self) -> str:
        return "\n".join(f"{name}: {done:,} of {total:,}" for name, (done, total) in self._counts.items())
