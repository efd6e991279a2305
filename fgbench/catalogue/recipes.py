"""Cards of all recipes, and how each is read. Reads packed files; opens no data."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from fgbench import plugins
from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.config import (
    InsightFaceConfig,
    PrepareConfig,
    Section,
    TrainAuConfig,
    TrainClipConfig,
    TrainImageConfig,
    load_baseline,
    load_prepare,
    load_training,
)
from fgbench.config.named_recipes import BROUGHT, NamedRecipe, brought_recipes, packed_names
from fgbench.errors import ConfigError
from fgbench.resources import resource

KINDS = ("prepare", "train", "baseline")
"""Folders of packed recipes."""

_MODELS: dict[str, type[Section]] = {
    "train au": TrainAuConfig,
    "train msau": TrainImageConfig,
    "train tmsau": TrainClipConfig,
    "baseline insightface": InsightFaceConfig,
}
_MODELS |= {f"baseline {name}": _MODELS[f"train {one.train}"] for name, one in RECIPE_BASELINES.items()}
"""Command to the model of its recipes; other baselines define it themselves."""

_COMMAND = re.compile(r"^Command: fgbench (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeCard:
    """A recipe, without its keys.

    Attributes:
        name: Name that a command takes.
        kind: One of :data:`KINDS`.
        command: Command that takes it, e.g. ``"train msau"``.
        usage: Whole command line, after ``fgbench``.
        header: Comments at the top of its file: run time, expected results, what the paper leaves open.
        is_packed: Whether it has a file; else it is the defaults of a baseline.
        package: Package that provides it, with its version; empty for fgbench's own.
    """

    name: str
    kind: str
    command: str
    usage: str
    header: str
    is_packed: bool = True
    package: str = ""


def recipe_cards() -> list[RecipeCard]:
    """All recipes, including defaults of baselines without one, sorted by command and name."""
    cards = [_card(kind, _packed(kind, name)) for kind in KINDS for name in packed_names(kind)]
    cards += [_card(kind, recipe) for kind in BROUGHT for recipe in brought_recipes(kind).values()]
    commands = {card.command for card in cards}
    for name in plugins.names("methods"):
        package = plugins.package_of("methods", name)
        command = f"baseline {name.replace('_', '-')}"
        if command not in commands and command not in _MODELS:
            cards.append(_defaults(name, command, package))
    return sorted(cards, key=lambda card: (KINDS.index(card.kind), card.command, card.name))


def recipe_card(name: str) -> RecipeCard:
    """Return the card of a recipe by name; underscores count as hyphens.

    Raises:
        ConfigError: If there is none; the message names the nearest.
    """
    cards = {card.name: card for card in recipe_cards()}
    wanted = name.replace("_", "-")
    if wanted not in cards:
        near = get_close_matches(wanted, list(cards), n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(f"unknown recipe {name[:100]!r}", f"{meant}fgbench recipes lists all")
    return cards[wanted]


def read_recipe(card: RecipeCard) -> Any:
    """Load the settings of a recipe with the model of its command.

    Raises:
        ConfigError: If it is not valid.
    """
    if card.kind == "prepare":
        return load_prepare(card.name)
    if card.kind == "train":
        return load_training(card.name, _MODELS[card.command])
    baseline = card.command.removeprefix("baseline ")
    model = _MODELS.get(card.command) or plugins.load("methods", baseline).RECIPE
    return load_baseline(baseline, model, card.name if card.is_packed else None)


def describe(card: RecipeCard) -> str:
    """One sentence for people on a recipe; for an invalid one of another package, the reason.

    Raises:
        ConfigError: If it is not valid.
    """
    if not card.is_packed:
        return card.header
    try:
        return str(read_recipe(card).description)
    except ConfigError as error:
        if not card.package:
            raise
        return f"cannot be used: {error.message}"


def data_set_of(config: Any) -> str:
    """Title of the data set that a recipe of ``fgbench prepare`` is for; empty for other recipes."""
    if not isinstance(config, PrepareConfig):
        return ""
    if config.dataset.synthetic:
        return config.dataset.name
    return str(plugins.load("datasets", config.dataset.adapter).CARD.title)


def _packed(kind: str, name: str) -> NamedRecipe:
    path = resource("pipelines", kind, f"{name}.yaml")
    return NamedRecipe(name=name, origin=str(path), text=path.read_text(encoding="utf-8"))


def _card(kind: str, recipe: NamedRecipe) -> RecipeCard:
    header = _header(recipe.text)
    match = None if recipe.package else _COMMAND.search(header)
    if match:
        usage = match[1]
    elif kind == "baseline":
        usage = f"baseline {recipe.plugin.replace('_', '-')} --recipe {recipe.name}"
    else:
        usage = f"{kind} {recipe.name} --data-root FOLDER"
    words = usage.split()
    command = words[0] if words[0] == "prepare" else " ".join(words[:2])
    return RecipeCard(
        name=recipe.name,
        kind=kind,
        command=command,
        usage=usage,
        header=header,
        package=recipe.package,
    )


def _header(text: str) -> str:
    """Comments at the top of a file, without their ``#``."""
    lines = []
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        lines.append(line.removeprefix("#").removeprefix(" "))
    return "\n".join(lines)


def _defaults(name: str, command: str, package: str) -> RecipeCard:
    summary = plugins.readable_sketch("methods", name).summary
    return RecipeCard(
        name=name.replace("_", "-"),
        kind="baseline",
        command=command,
        usage=command,
        header=summary,
        is_packed=False,
        package=package,
    )
