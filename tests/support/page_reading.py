"""Reads a page back without a browser: its elements and the data in them."""

from __future__ import annotations

import json
from html.parser import HTMLParser


class Elements(HTMLParser):
    """Every element with its attributes, and the text of those with an id."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts, self._id = [], {}, None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._id = dict(attrs).get("id") if tag == "script" else None

    def handle_endtag(self, tag):
        self._id = None

    def handle_data(self, data):
        if self._id:
            self.texts[self._id] = self.texts.get(self._id, "") + data


def blocks(page):
    texts = Elements(page).texts
    return {name: json.loads(text) for name, text in texts.items() if not name.startswith("sheet-")}
