"""Work folders: their mark, and the checks before anything is written or deleted in a folder.

A work folder has the file ``.fgbench-work.json``. Those of earlier versions have none; their
``prepare.json``, with recipe and data set, counts as the mark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fgbench import storage
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.files.temporaries import is_temporary
from fgbench.naming import is_text, shown
from fgbench.workfolders.layout import INDEX, MANIFESTS, RUNS
from fgbench.workfolders.manifest_index import NAME_ANOTHER, is_published, read_index
from fgbench.workfolders.shard_locks import SHARDS
from fgbench.workfolders.verification import NOTES

MARKER = ".fgbench-work.json"
RUN_FILE = "prepare.json"
"""File in a work folder with its recipe and its data set."""

FORMAT = 1
"""Version of the layout; a higher one is refused."""

FOLDERS = ("stages", "plans", SHARDS, "manifests", "folds", "runs", "cache", "reports", "audit", "logs")
"""Folders of a work folder that fgbench makes; what lies beside them is never touched."""

PULL_AGAIN = "fgbench pull, into a new folder, gets the tables again"
"""Remedy for damaged tables that were pulled."""

_KIND = "work folder of fgbench"
_STRANGERS = storage.OF_LOCKS | {".DS_Store", "Thumbs.db", "desktop.ini", "lost+found"}
"""Files that a folder may hold and still count as empty: locks of fgbench, and files of systems."""

_OTHER = "choose an empty folder, a new one, or one that fgbench prepare has made (--workdir)"


def claim(workdir: Path) -> None:
    """Check that a folder is absent, empty, or a work folder already, before it is written to.

    Raises:
        ConfigError: If it holds files and no mark of fgbench; nothing in it is changed.
        ResourceError: If it is a file, or one of its folders is a link, behind which nothing is changed.
    """
    if not is_work_folder(workdir) and (names := _names(workdir)):
        raise _refusal(workdir, names)
    refuse_links(workdir)


def mark(workdir: Path) -> None:
    """Mark a folder that has passed :func:`claim`.

    Raises:
        ResourceError: If it cannot be written.
    """
    if not _is_marked(workdir):
        storage.write_json(workdir / MARKER, {"kind": _KIND, "format": FORMAT})


def write_origin(workdir: Path, recipe: Mapping[str, Any], root: Path, url: str | None = None) -> None:
    """Write the origin of a work folder, for :func:`read_origin` and :func:`data_url`.

    A root whose path is not text (file names need not be UTF-8) is also stored as bytes.

    Args:
        workdir: The work folder.
        recipe: The recipe as plain values.
        root: Root of the data set.
        url: URL of the data set, for other machines, which have no such root.

    Raises:
        ResourceError: If it cannot be written.
    """
    path = str(root.resolve())
    origin = (
        {"root": shown(path)} if is_text(path) else {"root": shown(path), "root_hex": os.fsencode(path).hex()}
    )
    of_url = {} if url is None else {"url": url}
    storage.write_json(workdir / RUN_FILE, {**origin, **of_url, "recipe": dict(recipe)})


def read_origin(workdir: Path) -> tuple[dict[str, Any], Path]:
    """Origin of a work folder: the recipe as plain values, not validated, and the data set's root.

    Raises:
        ManifestError: If the folder was not made by ``fgbench prepare``, or its ``prepare.json`` is damaged.
        ResourceError: If it may not be read.
    """
    again = "run fgbench prepare with its recipe and --data-root again: what is done is kept"
    path = workdir / RUN_FILE
    try:
        content = storage.read_json(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise _no_origin(workdir) from error
    except ManifestError as error:
        raise ManifestError(error.message, again) from error
    origin = _origin(content)
    if origin is None:
        raise ManifestError(f"{path} tells no recipe and root, as fgbench prepare writes it", again)
    return origin[0], Path(origin[1])


def data_url(workdir: Path) -> str | None:
    """URL of the data set of a work folder, which may be any text; ``None`` where none is noted.

    Raises:
        ResourceError: If it may not be read.
    """
    content = _read(workdir / RUN_FILE)
    url = content.get("url") if isinstance(content, dict) else None
    return url if isinstance(url, str) else None


def has_tables_alone(workdir: Path) -> bool:
    """Whether a folder has manifests without the rest of a work folder, as ``fgbench pull`` writes them."""
    return is_published(workdir) and not any((workdir / name).exists() for name in (RUN_FILE, "stages"))


def _no_origin(workdir: Path) -> ManifestError:
    """The error on a folder without a recipe and the folder of its clips."""
    if has_tables_alone(workdir):
        return ManifestError(
            f"{workdir} has the tables of a data set alone (no {RUN_FILE}), as fgbench pull writes them: "
            "this needs the clips",
            "tables do for fgbench status, check, audit, score, report, and for training on classes; with "
            "the clips: fgbench prepare, into another folder",
        )
    if not workdir.exists():
        return ManifestError(
            f"{workdir} is not a work folder (no {RUN_FILE}): there is no such folder", NAME_ANOTHER
        )
    return ManifestError(f"{workdir} is not a work folder (no {RUN_FILE})", "run fgbench prepare first")


def published_recipe(workdir: Path) -> dict[str, Any]:
    """Recipe that the manifests of a work folder were made by, as plain values, not validated.

    ``prepare.json`` has the recipe that was requested last, which an interrupted ``fgbench prepare`` has not
    applied yet. It is used where there are no manifests, or they do not hold their recipe.

    Raises:
        ManifestError: If the manifests' index is damaged, or the folder is no work folder.
        ResourceError: If it may not be read.
    """
    made: dict[str, Any] = {}
    if is_published(workdir):
        made = read_index(workdir).get("origin", {}).get("recipe", {})
    return made or read_origin(workdir)[0]


def check_results(workdir: Path) -> None:
    """Check that reports or an audit may be written into a folder.

    Raises:
        ConfigError: If it holds files, but neither a mark of fgbench, nor manifests or runs.
        ResourceError: If one of its folders is a link.
    """
    made = (workdir / MANIFESTS / INDEX).is_file() or any((workdir / RUNS).glob("*/*/*/config.yaml"))
    if made:
        refuse_links(workdir)
    else:
        claim(workdir)


def refuse_links(workdir: Path) -> None:
    """Check that none of a work folder's own folders is a link.

    Raises:
        ResourceError: If one is.
    """
    for name in FOLDERS:
        for path in _linked_folders(workdir / name):
            raise ResourceError(
                f"{path} is a link to {os.path.realpath(path)}, expected a folder: fgbench writes and "
                "deletes in it, and does so through no link",
                "remove the link; to use another disk, put the whole work folder there",
            )


def _linked_folders(folder: Path) -> Iterator[Path]:
    if folder.is_symlink():
        yield folder
        return
    try:
        with os.scandir(folder) as entries:
            items = sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return
    for entry in items:
        if entry.is_symlink():
            if entry.is_dir():
                yield Path(entry.path)
        elif entry.is_dir():
            yield from _linked_folders(Path(entry.path))


def is_work_folder(workdir: Path) -> bool:
    """Whether a folder bears the mark, or an earlier version has prepared a data set in it.

    Raises:
        ManifestError: If it is of a newer format.
        ResourceError: If the mark may not be read.
    """
    return _is_marked(workdir) or _is_prepared(workdir)


def _is_marked(workdir: Path) -> bool:
    mark = _read(workdir / MARKER)
    if not isinstance(mark, dict) or mark.get("kind") != _KIND or not isinstance(mark.get("format"), int):
        return False
    if mark["format"] > FORMAT:
        raise ManifestError(
            f"{workdir} is a work folder of format {mark['format']}, expected at most {FORMAT}",
            "update fgbench, or choose another folder",
        )
    return True


def _is_prepared(workdir: Path) -> bool:
    """Whether an earlier version, which sets no mark, has prepared a data set here."""
    return _origin(_read(workdir / RUN_FILE)) is not None


def _origin(content: Any) -> tuple[dict[str, Any], str] | None:
    """Recipe and root from the content of a ``prepare.json``; ``None`` if it has another shape."""
    if not isinstance(content, dict):
        return None
    recipe, root = content.get("recipe"), content.get("root")
    if not isinstance(recipe, dict) or not isinstance(recipe.get("dataset"), dict):
        return None
    if "root_hex" in content:
        try:
            root = os.fsdecode(bytes.fromhex(content["root_hex"]))
        except (TypeError, ValueError):
            return None
    return (recipe, root) if isinstance(root, str) and "\0" not in root else None


def _read(path: Path) -> Any:
    try:
        return None if path.is_symlink() else storage.read_json(path)
    except (ManifestError, FileNotFoundError, NotADirectoryError):
        return None


def _names(workdir: Path) -> list[str]:
    """Names in a folder, without those that an empty folder may hold.

    Raises:
        ResourceError: If it is a file, or may not be read.
    """
    try:
        with storage.readable(workdir):
            names = sorted(path.name for path in workdir.iterdir())
    except FileNotFoundError:
        return []
    except NotADirectoryError as error:
        raise ResourceError(
            f"cannot write {workdir}: it is a file, or lies below one; expected a folder", _OTHER
        ) from error
    return [
        name
        for name in names
        if name not in _STRANGERS and not is_temporary(name, of={MARKER, RUN_FILE, NOTES})
    ]


def _refusal(workdir: Path, names: list[str]) -> ConfigError:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ConfigError(
        f"{workdir} is no work folder of fgbench, and not empty: it holds "
        f"{', '.join(map(repr, names[:3]))}{more}; nothing was changed",
        _OTHER,
    )
