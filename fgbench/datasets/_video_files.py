"""Which file a table means by the name of a clip, however that is spelled.

Lists the data set once. A clip is a file: ``a``, ``./a``, ``a.MP4`` and ``videos/a.mp4`` are one clip where
they lead to one file. Its id is the path of the file below the folder of videos, without suffix, in the form
of :func:`fgbench.naming.tidy`.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from fgbench.datasets._tree import FILE, HIDDEN, ODD, everything
from fgbench.errors import DatasetError
from fgbench.media_kinds import VIDEO_SUFFIXES
from fgbench.naming import key, shown, tidy


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a name leads to.

    Attributes:
        clip_id: Id of the clip.
        path: POSIX path of its file from the root; the name where there is none.
        problem: ``(reason, detail)`` if the name leads to no file, or to several.
    """

    clip_id: str
    path: str
    problem: tuple[str, str] | None = None


class VideoFiles:
    """The files of a data set by the names that tables use.

    Args:
        root: Root of the data set.
        videos: Name of the folder of videos; the root is taken where there is none.

    Raises:
        DatasetError: If the root cannot be listed.
    """

    def __init__(self, root: Path, videos: str) -> None:
        self._root = root
        has_folder = (root / videos).is_dir()
        self._before = f"{videos}/" if has_folder else ""
        self._base = videos if has_folder else str(root)
        self._kinds: dict[str, str] = {}
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._known: dict[str, Found] = {}
        try:
            items = everything(root)
        except OSError as error:
            raise DatasetError(f"cannot list {root}: {error.strerror}", "check its permissions") from error
        for item in items:
            if item.kind == HIDDEN:
                continue
            self._kinds[item.path] = item.kind
            for name in self._names(item.path):
                self._by_name[name].append(item.path)

    def find(self, clip: str) -> Found:
        """What a table means by a name; one that leads out of the root is given back as it is."""
        if clip not in self._known:
            self._known[clip] = self._find(clip)
        return self._known[clip]

    def _find(self, clip: str) -> Found:
        pure = PurePosixPath(clip)
        plain = tidy(pure.as_posix())
        if pure.is_absolute() or ".." in pure.parts:
            return Found(clip_id=_without_suffix(plain), path=clip)
        for kind, name in (
            ("path", self._before + plain),
            ("path", plain),
            ("stem", _without_suffix(plain)),
            ("any case", key(self._before + plain)),
            ("any case", key(plain)),
            ("any case", key(_without_suffix(plain))),
        ):
            paths = sorted(set(self._by_name.get(f"{kind}:{name}", ())))
            if len(paths) > 1:
                files = ", ".join(shown(path) for path in paths)
                detail = f"clip {clip!r} fits several files: {files}; name it with its suffix, or rename them"
                return Found(clip_id=_without_suffix(plain), path=clip, problem=("bad_annotation", detail))
            if paths:
                return self._there(paths[0])
        if _is_file(self._root / self._before / plain):  # below a folder that is linked to more than once
            return self._there(self._before + plain)
        detail = f"no video {clip!r} below {self._base}"
        return Found(clip_id=_without_suffix(plain), path=clip, problem=("missing_file", detail))

    def _there(self, path: str) -> Found:
        clip_id = _without_suffix(tidy(path.removeprefix(self._before)))
        kind = self._kinds.get(path, FILE)
        problem = None if kind == FILE else (kind, f"{shown(path)}: {ODD[kind]}")
        return Found(clip_id=clip_id, path=path, problem=problem)

    def _names(self, path: str) -> list[str]:
        """The names that a file is found by, each with its kind before it."""
        plain = tidy(path)
        names = [f"path:{plain}", f"any case:{key(plain)}"]
        inner = plain.removeprefix(self._before)
        if plain.startswith(self._before) and PurePosixPath(inner).suffix.lower() in VIDEO_SUFFIXES:
            stem = _without_suffix(inner)
            names += [f"stem:{stem}", f"any case:{key(stem)}"]
        return names


def _without_suffix(clip: str) -> str:
    pure = PurePosixPath(clip)
    return pure.with_suffix("").as_posix() if pure.suffix.lower() in VIDEO_SUFFIXES else pure.as_posix()


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name longer than the file system allows, or with a NUL
        return False
