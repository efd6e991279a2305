"""Data sets that fgbench reads: all, ``fgbench.data_sets``; one in a folder, ``fgbench.survey``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from fgbench.api.arguments import name_of, path_of, path_or_none
from fgbench.api.settings import changes_of
from fgbench.notebook_lines import NotebookLines

if TYPE_CHECKING:
    from fgbench.catalogue.survey import Survey


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSet(NotebookLines):
    """A data set that fgbench reads.

    Attributes:
        adapter: Name of what reads it.
        package: Package of that, with its version; empty for fgbench's own.
        title: Full name.
        kind: Pictures or videos, in words.
        recipes: Names of its recipes.
        label_sets: Label sets of these.
        layouts: Layouts of its folder that are read.
        protocol: Its official division into parts.
        licence: Its conditions, in words.
        citation: Publication that introduced it.
        request: Whom to ask for it.
        unconfirmed: Points of its layout that were read from descriptions alone.
        folder: Its folder on this machine; ``None`` if it is not here.
    """

    adapter: str
    package: str
    title: str
    kind: str
    recipes: tuple[str, ...]
    label_sets: tuple[str, ...]
    layouts: tuple[str, ...]
    protocol: str
    licence: str
    citation: str
    request: str
    unconfirmed: tuple[str, ...]
    folder: Path | None

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        row: dict[str, Any] = {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }
        folder = row.pop("folder")
        if not self.package:
            del row["package"]
        return {**row, "found": None if folder is None else str(folder)}

    def lines(self) -> list[str]:
        """Return lines of text."""
        row = self.to_json()
        package = f"; of the package {self.package}" if self.package else ""
        lines = [f"{self.adapter}: {self.title} ({self.kind}{package})"]
        for name in ("recipes", "layouts", "protocol", "licence", "request", "found"):
            text = "; ".join(row[name]) if isinstance(row[name], list) else row[name]
            lines.append(f"{name:>10}: {text or 'not on this machine'}")
        return lines

    def __repr__(self) -> str:
        return f"<DataSet {self.adapter}: {self.title}>"


def data_sets(root: str | os.PathLike[str] | None = None) -> list[DataSet]:
    """Return the data sets that fgbench reads.

    Args:
        root: Folder with one folder for each data set, named as its recipe; ``None``: the one that the
            environment variable ``FGBENCH_DATA`` names.

    Raises:
        ConfigError: If ``root`` is no path.
        DatasetError: If there is no such folder.
    """
    from fgbench import plugins
    from fgbench.catalogue.data_roots import remembered_root
    from fgbench.catalogue.listing import recipes_by_adapter
    from fgbench.errors import DatasetError

    base = path_or_none("root", root, example="root='data'")
    if base is not None and not base.is_dir():
        raise DatasetError(f"no folder {base}", "name the folder that holds the data sets")
    listed = []
    for adapter, recipes in recipes_by_adapter().items():
        card = plugins.load("datasets", adapter).CARD
        names = [recipe.name for recipe in recipes]
        listed.append(
            DataSet(
                adapter=adapter,
                package=plugins.package_of("datasets", adapter),
                title=card.title,
                kind=card.kind,
                recipes=tuple(names),
                label_sets=tuple(sorted({recipe.dataset.scheme for recipe in recipes})),
                layouts=tuple(card.layouts),
                protocol=card.protocol,
                licence=card.licence,
                citation=card.citation,
                request=card.request,
                unconfirmed=tuple(card.unconfirmed),
                folder=remembered_root(adapter, *names, base=base),
            )
        )
    return listed


def folder_of(recipe: str) -> Path | None:
    """Return the folder of the data set of a recipe on this machine.

    Args:
        recipe: Name of a packed recipe; of another name, and where a file or folder is called so, there is
            none.
    """
    from fgbench.catalogue.data_roots import remembered_root
    from fgbench.config import load_prepare, recipe_names

    if Path(recipe).exists() or recipe.replace("_", "-") not in recipe_names():
        return None
    config = load_prepare(recipe)
    return remembered_root(config.name, config.dataset.adapter)


def survey(
    recipe: str | os.PathLike[str],
    root: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | Sequence[str] | None = None,
) -> Survey:
    """Return what of a data set is in a folder: entries, labels, missing files, beside the published numbers.

    Lists folders; opens no picture and no video.

    Args:
        recipe: Packed recipe or path of a YAML file.
        root: Folder of the data set.
        settings: Settings of the recipe to change, e.g. ``{"dataset.classes": ["happy", "sad"]}``.

    Raises:
        ConfigError: If the recipe or a setting is not valid, or an argument is none.
        DatasetError: If the layout is wrong.
    """
    from fgbench.catalogue.survey import survey as counted
    from fgbench.config import load_prepare, with_changes

    name = name_of("recipe", recipe, example="'fer2013', or the path of a YAML file")
    folder = path_of("root", root, example="'data/fer2013'")
    return counted(with_changes(load_prepare(name), changes_of("settings", settings)), folder)


def survey_json(data: Survey) -> dict[str, Any]:
    """Return a survey as plain values."""
    return {**asdict(data), "differences": data.differences, "is_complete": data.is_complete}


def preparation_command(
    recipe: str | os.PathLike[str], root: str | os.PathLike[str], changes: Sequence[str] = ()
) -> str:
    """Return the command that prepares a data set; of users' own clips with the recipe of their tables.

    Args:
        recipe: Packed recipe or path of a YAML file.
        root: Folder of the data set.
        changes: Settings of the recipe to change, as ``section.field=value``.
    """
    from fgbench.catalogue.diagnosis import recipe_of_tables
    from fgbench.config import load_prepare

    name, folder = os.fspath(recipe), Path(root)
    named = recipe_of_tables(folder, load_prepare(name).dataset.adapter) or name
    changed = "".join(f" --set {quote(change)}" for change in changes)
    return f"fgbench prepare {quote(named)} --data-root {quote(str(folder))}{changed}"
