"""A storage in memory with the calls of fsspec that the mirror uses, whose downloads a test may spoil."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path


class FakeStorage:
    """Objects by their path, ``bucket/...``.

    Attributes:
        objects: Path to content.
        tags: Path to tag; absent: the MD5 of the content.
        calls: Paths of the downloads, in order.
        spoil: Content that a download gives, of its number and the content.
    """

    def __init__(self, objects: dict[str, bytes]) -> None:
        self.objects = objects
        self.tags: dict[str, str] = {}
        self.calls: list[str] = []
        self.spoil: Callable[[int, bytes], bytes] = lambda _, content: content

    def invalidate_cache(self) -> None:
        """Nothing is cached."""

    def find(self, base: str, *, detail: bool) -> dict[str, dict[str, object]]:
        """All objects below a folder."""
        assert detail
        return {name: self.info(name) for name in self.objects if name.startswith(f"{base}/")}

    def info(self, name: str) -> dict[str, object]:
        """Size, time and tag of an object."""
        if name not in self.objects:
            raise FileNotFoundError(name)
        content = self.objects[name]
        tag = self.tags.get(name, hashlib.md5(content, usedforsecurity=False).hexdigest())
        return {
            "name": name,
            "type": "file",
            "size": len(content),
            "ETag": f'"{tag}"',
            "mtime": 1_700_000_000,
        }

    def get_file(self, name: str, path: str) -> None:
        """Download an object."""
        self.calls.append(name)
        Path(path).write_bytes(self.spoil(len(self.calls), self.objects[name]))
