"""Clips by the names that the files of other programs use.

A name is a clip's id or its path in the data set, with or without suffix; a longer path that ends with one;
or the end of the path of one clip alone, as the name of its file. Pictures of the image set may be named by
their ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from fgbench.errors import DatasetError
from fgbench.naming import first_few, tidy

_SUFFIX = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")
_DRIVE = re.compile(r"^[A-Za-z]:(?=[\\/])")


class ClipNames:
    """Clips by their names.

    Args:
        clips: Id and path of each; the path of a clip that could not be read may be empty.
        samples: Id of a picture of the image set to its clip and frame.
    """

    def __init__(
        self, clips: Iterable[tuple[str, str]], samples: dict[str, tuple[str, int]] | None = None
    ) -> None:
        self._whole: dict[str, set[str]] = {}
        self._parts: dict[str, set[str]] = {}
        self._samples = samples or {}
        self._ids = set()
        for clip_id, path in clips:
            self._ids.add(clip_id)
            for name in {clip_id, *([path, _bare(path)] if path else [])}:
                plain = _plain(name)
                self._whole.setdefault(plain, set()).add(clip_id)
                for end in _ends(plain):
                    self._parts.setdefault(end, set()).add(clip_id)
        self.find = lru_cache(maxsize=1 << 18)(self._find)

    def _find(self, name: str) -> tuple[str, int | None] | None:
        """Return the clip, and the frame of a picture that is named by its id; ``None`` for an unknown name.

        Raises:
            DatasetError: If it may mean several clips.
        """
        if name in self._ids:
            return name, None
        plain = _plain(name)
        for end in _ends(plain):
            for one in (end, _bare(end)):
                if one in self._samples:
                    return self._samples[one]
                if one in self._whole:
                    return self._only(name, self._whole[one])
        for one in (plain, _bare(plain)):
            if one in self._parts:
                return self._only(name, self._parts[one])
        return None

    def _only(self, name: str, clips: set[str]) -> tuple[str, int | None]:
        if len(clips) > 1:
            raise DatasetError(
                f"{name!r} may be any of {len(clips)} clips: {first_few(sorted(clips), 3)}",
                "name clips by their ids (clip_id), or by their paths in the data set",
            )
        return next(iter(clips)), None


def _plain(name: str) -> str:
    steps = tidy(_DRIVE.sub("", name).replace("\\", "/")).split("/")
    return "/".join(step for step in steps if step not in ("", "."))


def _bare(name: str) -> str:
    return _SUFFIX.sub("", name)


def _ends(name: str) -> list[str]:
    """Return the ends of a path, the longest first."""
    steps = name.split("/")
    return ["/".join(steps[index:]) for index in range(len(steps))]
