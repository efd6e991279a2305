"""Files of clips by the names that tables use, in any spelling.

Lists the data set once. A clip is a file, or a folder of pictures that a table names: ``a``, ``./a``,
``a.MP4`` and ``videos/a.mp4`` are one clip if they lead to one file, and so is ``b\\a`` where only ``b/a`` is
there. Its id is the path of the file below the folder of videos, without suffix, in the form of
:func:`fgbench.naming.tidy`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from fgbench.datasets._tree import FILE, HIDDEN, ODD, everything
from fgbench.datasets._whole_paths import tails
from fgbench.errors import DatasetError
from fgbench.media.kinds import VIDEO_SUFFIXES, is_picture, suffix
from fgbench.naming import key, shown, tidy

STRETCH = re.compile("([0-9]{8})-([0-9]{8})")
"""Name of the folder of pictures of a clip that was cut from a recording: its ends in milliseconds."""

_SHOWN = 200
"""Characters of a name that problems show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """Clip and file of a name.

    Attributes:
        clip_id: Id of the clip.
        path: POSIX path of its file from the root; the name if there is none.
        problem: ``(reason, detail)`` if the name leads to no file, or to several.
    """

    clip_id: str
    path: str
    problem: tuple[str, str] | None = None


class ClipFiles:
    """The files of a data set by the names that tables use.

    Args:
        root: Root of the data set.
        videos: Name of the folder of videos; the root is taken if it does not exist.

    Raises:
        DatasetError: If the root cannot be listed.
    """

    def __init__(self, root: Path, videos: str) -> None:
        self._root = root
        has_folder = (root / videos).is_dir()
        self._before = f"{videos}/" if has_folder else ""
        self._base = videos if has_folder else str(root)
        self._kinds: dict[str, str] = {}
        self._by_path: dict[str, list[str]] = defaultdict(list)
        self._by_stem: dict[str, list[str]] = defaultdict(list)
        self._pictures: dict[str, list[str]] = defaultdict(list)
        self._folders: dict[str, dict[str, None]] = defaultdict(dict)
        self._by_key: dict[str, list[str]] = {}
        self._by_name: dict[str, NamedFile] = {}
        try:
            items = everything(root)
        except OSError as error:
            raise DatasetError(f"cannot list {root}: {error.strerror}", "check its permissions") from error
        for item in items:
            if item.kind == HIDDEN:
                continue
            self._kinds[item.path] = item.kind
            plain = tidy(item.path)
            self._by_path[plain].append(item.path)
            if not plain.startswith(self._before):
                continue
            name = plain.removeprefix(self._before)
            if suffix(plain) in VIDEO_SUFFIXES:
                self._by_stem[_without_suffix(name)].append(item.path)
            elif is_picture(plain):
                self._pictures[name[: len(name) - len(suffix(name))]].append(item.path)
                if folder := name.rpartition("/")[0]:
                    self._folders[folder][item.path.rpartition("/")[0]] = None

    def find(self, clip: str) -> NamedFile:
        """Find the file of a name; one that leads out of the root is a problem, whatever lies there."""
        if clip not in self._by_name:
            self._by_name[clip] = self._find(clip)
        return self._by_name[clip]

    @property
    def before(self) -> str:
        """Beginning of the paths of clips that their names leave out, e.g. ``"videos/"``."""
        return self._before

    def all_clips(self) -> list[NamedFile]:
        """Every video and picture below the folder of videos as a clip, ordered by id; files of one id have a
        problem. A folder of pictures that is called as a stretch of time (:data:`STRETCH`) is one clip."""
        named: dict[str, list[str]] = defaultdict(list)
        listed = {path for paths in self._by_stem.values() for path in paths}
        for path in (path for paths in self._pictures.values() for path in paths):
            folder = path.rpartition("/")[0]
            listed.add(folder if STRETCH.fullmatch(folder.rpartition("/")[2]) else path)
        for path in sorted(listed):
            named[self._there(path).clip_id].append(path)
        return [
            self._there(paths[0])
            if len(paths) == 1
            else NamedFile(
                clip_id=clip_id,
                path=paths[0],
                problem=(
                    "duplicate_id",
                    f"several files: {', '.join(map(shown, paths))}; rename one of them",
                ),
            )
            for clip_id, paths in sorted(named.items())
        ]

    def meant(self, name: str) -> NamedFile:
        """Like :meth:`find`; for a whole path, the only clip whose path below the folder of videos is its
        end.

        Programs that analyse videos write down the paths on their machine.
        """
        paths = {
            path
            for tail in tails(name)
            for path in (
                *self._by_path.get(self._before + tail, ()),
                *self._by_stem.get(_without_suffix(tail), ()),
            )
        }
        return self._there(paths.pop()) if len(paths) == 1 else self.find(name)

    def _find(self, clip: str) -> NamedFile:
        steps = [step for step in clip.split("/") if step not in ("", ".")]
        plain = tidy("/".join(steps))
        clip_id = _without_suffix(plain)
        if clip.startswith("/") or ".." in steps:
            detail = f"path {clip[:_SHOWN]!r} leads out of the data set's folder"
            return NamedFile(clip_id=clip_id, path=clip, problem=("path_outside_root", detail))
        paths = (
            self._by_path.get(self._before + plain)
            or self._by_path.get(plain)
            or self._by_stem.get(clip_id)
            or self._pictures.get(plain)
            or [*self._folders.get(plain, ())]
            or self._in_any_case(plain)
        )
        if paths and len(paths) > 1:
            files = ", ".join(shown(path) for path in paths)
            detail = f"clip {clip!r} fits several files: {files}; name it with its suffix, or rename them"
            return NamedFile(clip_id=clip_id, path=clip, problem=("bad_annotation", detail))
        if paths:
            return self._there(paths[0])
        if _is_file(self._root / self._before / plain):  # below a folder that is linked to more than once
            return self._there(self._before + plain)
        if "\\" in clip:  # as Windows writes paths
            named = self._find(clip.replace("\\", "/"))
            if named.path in self._kinds:
                return named
        detail = f"no video or picture {clip[:_SHOWN]!r} below {self._base}"
        return NamedFile(clip_id=clip_id, path=clip, problem=("missing_file", detail))

    def _in_any_case(self, plain: str) -> list[str] | None:
        """Files whose name differs in case alone; tried last, so most data sets need no such list."""
        if not self._by_key:
            for names, kind in ((self._by_path, "path"), (self._by_stem, "stem")):
                for name, paths in names.items():
                    self._by_key.setdefault(f"{kind}:{key(name)}", []).extend(paths)
        wanted = key(plain)
        return (
            self._by_key.get(f"path:{key(self._before)}{wanted}")
            or self._by_key.get(f"path:{wanted}")
            or self._by_key.get(f"stem:{_without_suffix(wanted)}")
        )

    def _there(self, path: str) -> NamedFile:
        clip_id = _without_suffix(tidy(path.removeprefix(self._before)))
        kind = self._kinds.get(path, FILE)
        problem = None if kind == FILE else (kind, f"{shown(path)}: {ODD[kind]}")
        return NamedFile(clip_id=clip_id, path=path, problem=problem)


def _without_suffix(clip: str) -> str:
    ending = suffix(clip)
    return clip[: len(clip) - len(ending)] if ending in VIDEO_SUFFIXES else clip


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name longer than the file system allows, or with a NUL
        return False
