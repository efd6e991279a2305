"""Recipes by name: those packed with fgbench, and those that plugins of other packages bring.

A data set of another package brings recipes as a dict ``RECIPES`` of name to YAML text; if none of them has
the name of the data set, one is made from its card. A method brings recipes in the same way. Packed ones have
precedence: no plugin changes the meaning of an existing name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from fgbench import plugins
from fgbench.resources import resource

NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
"""Pattern of the name of a recipe of a plugin; it stands for a file and in commands."""

BROUGHT = {"prepare": "datasets", "baseline": "methods"}
"""Kind of recipe to the kind of plugin that may bring one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecipe:
    """A recipe that has a name.

    Attributes:
        name: Its name.
        origin: The file, or the plugin, for messages.
        path: Its file; ``None`` if a plugin brings it.
        text: YAML, if a plugin brings it.
        plugin: Name of that plugin; empty for a packed one.
        package: Package of that plugin, with its version.
    """

    name: str
    origin: str
    path: Path | None = None
    text: str = ""
    plugin: str = ""
    package: str = ""


def packed_names(kind: str) -> list[str]:
    """Names of the recipes packed with fgbench, sorted.

    Args:
        kind: Folder under ``pipelines/``.
    """
    return sorted(path.stem for path in resource("pipelines", kind).glob("*.yaml"))


def named_recipe(kind: str, name: str) -> NamedRecipe | None:
    """Return a recipe by its name, written with hyphens; ``None`` if there is none.

    Args:
        kind: Folder under ``pipelines/``.
        name: Its name.
    """
    if name in packed_names(kind):
        path = resource("pipelines", kind, f"{name}.yaml")
        return NamedRecipe(name=name, origin=str(path), path=path)
    return brought_recipes(kind).get(name)


def brought_recipes(kind: str) -> dict[str, NamedRecipe]:
    """Name to recipe of the plugins of other packages, sorted; imports those plugins.

    Args:
        kind: Folder under ``pipelines/``.
    """
    group = BROUGHT.get(kind, "")
    others = plugins.other_names(group) if group else []
    if not others:
        return {}
    modules = plugins.loaded(group)
    brought: dict[str, NamedRecipe] = {}
    packed = packed_names(kind)
    for plugin in others:
        if plugin not in modules:
            continue
        package = plugins.package_of(group, plugin)
        for name, text in _texts(kind, plugin, modules[plugin], package).items():
            if name not in packed and name not in brought:
                origin = f"the recipe {name} of the package {package}"
                recipe = NamedRecipe(name=name, origin=origin, text=text, plugin=plugin, package=package)
                brought[name] = recipe
    return dict(sorted(brought.items()))


def _texts(kind: str, plugin: str, module: ModuleType, package: str) -> dict[str, str]:
    """Name to text of the recipes of one plugin."""
    declared: Mapping[object, object] = getattr(module, "RECIPES", {})
    texts = {
        name: text
        for name, text in declared.items()
        if isinstance(name, str) and NAME.fullmatch(name) and isinstance(text, str)
    }
    typed = plugin.replace("_", "-")
    if kind == "prepare" and typed not in texts:
        texts[typed] = _of_card(typed, module, package)
    return texts


def _of_card(name: str, module: ModuleType, package: str) -> str:
    """A recipe of a data set whose package brings none; JSON, which is also YAML."""
    card = module.CARD
    recipe: dict[str, object] = {
        "extends": "default",
        "name": name,
        "description": f"{card.title}, as its card in the package {package} tells.",
        "dataset": {"adapter": name, "name": name, "scheme": card.variants[0].scheme},
    }
    if card.kind == "image":
        recipe["sample"] = {"before": 0, "after": 0, "video": "none"}
    head = (
        f"# {card.title}; made of its card in the package {package}.\n#\n"
        f"# Command: fgbench prepare {name} --data-root FOLDER\n"
    )
    return head + "\n".join(f"{key}: {json.dumps(value)}" for key, value in recipe.items()) + "\n"
