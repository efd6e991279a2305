"""Inventory of the files below the root of a data set and of those that a recipe uses.

Lists folders; opens no file. Every file is used by an entry, or is a picture or video that no entry names, or
is counted by its suffix; whatever is not a regular file is listed by path.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fgbench.datasets._tree import FILE, HIDDEN, ODD, everything
from fgbench.errors import DatasetError
from fgbench.media.kinds import is_picture, is_video, suffix
from fgbench.naming import counted, shown

SHOWN = 5
"""Examples per line for people."""

_MOST_SUFFIXES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Counts of the files below the root.

    Attributes:
        media: Number of pictures and videos, including those in folders of pictures.
        used: Number of those that an entry names, directly or by their folder.
        unused: Paths of a few of the others, in order.
        others: Suffix to number of other files, e.g. ``{".txt": 12}``; ``hidden`` for hidden ones,
            each hidden folder counting once, and ``without suffix``.
        odd: Path to kind (:data:`fgbench.datasets._tree.ODD`) of items that are not regular files and not in
            a folder of pictures that an entry names.
        folders: Path of a folder that is taken as a clip to the number of its pictures.
    """

    media: int
    used: int
    unused: tuple[str, ...]
    others: Mapping[str, int]
    odd: Mapping[str, str]
    folders: Mapping[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> list[str]:
        """Lines for people on unused media, pictures that are frames of clips, and files of other kinds."""
        texts = []
        if self.used < self.media:
            left = self.media - self.used
            are = "is" if left == 1 else "are"
            texts.append(
                f"warning: {left} of {self.media} pictures and videos {are} not used, "
                f"e.g. {', '.join(self.unused)}"
            )
        if self.folders:
            pictures, first = sum(self.folders.values()), next(iter(self.folders))
            texts.append(
                f"{counted(pictures, 'picture')} in {counted(len(self.folders), 'folder')} "
                f"{'is the frame' if pictures == 1 else 'are the frames'} of "
                f"{counted(len(self.folders), 'clip')}, e.g. {first} ({self.folders[first]}); if each is a "
                "picture by itself, the layout is another than the recipe's"
            )
        if self.others:
            most = sorted(self.others.items(), key=lambda item: (-item[1], item[0]))
            named = [f"{count} {what}" for what, count in most[:_MOST_SUFFIXES]]
            rest = sum(count for _, count in most[_MOST_SUFFIXES:])
            texts.append(f"other files: {', '.join(named)}" + (f", {rest} others" if rest else ""))
        return texts


def take_inventory(root: Path, paths: Iterable[str], tables: Collection[str] = ()) -> Inventory:
    """Take the inventory of a data set.

    Args:
        root: Its root.
        paths: Paths that entries name: files, folders of pictures, rows of tables; as in
            :class:`fgbench.records.ClipEntry`.
        tables: Paths of the tables that the entries are from; they do not count as other files.

    Raises:
        DatasetError: If the root cannot be listed.
    """
    named = set(paths)
    media = used = 0
    unused: list[str] = []
    others: Counter[str] = Counter()
    odd: dict[str, str] = {}
    try:
        items = everything(root)
    except OSError as error:
        raise DatasetError(
            f"cannot list {root}: {error.strerror}", "check the path and its permissions"
        ) from error
    folders: Counter[str] = Counter()
    for item in items:
        above = item.path.rpartition("/")[0]
        # In a folder that an entry names only the pictures are read.
        is_frame = above in named and is_picture(item.path)
        is_named = item.path in named or is_frame
        if item.kind in ODD:
            if item.path not in named and above not in named:
                odd[item.path] = item.kind
        elif item.kind == HIDDEN:
            others["hidden"] += 1
        elif is_named or is_picture(item.path) or is_video(item.path):
            media += 1
            used += is_named
            folders[above] += is_frame
            if not is_named and len(unused) < SHOWN:
                unused.append(shown(item.path))
        elif item.path not in tables:
            assert item.kind == FILE
            others[shown(suffix(item.path)) or "without suffix"] += 1
    return Inventory(
        media=media,
        used=used,
        unused=tuple(unused),
        others=dict(sorted(others.items())),
        odd=odd,
        folders={shown(path): count for path, count in sorted(folders.items()) if count},
    )
