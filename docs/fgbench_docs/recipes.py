"""The recipes of methods, from their files: what each is, where the paper has it, what it takes and gives."""

from __future__ import annotations

import re
from itertools import groupby

from fgbench.catalogue.recipes import RecipeCard, describe, read_recipe, recipe_cards
from fgbench.config.described import Key, in_yaml, keys_of
from fgbench.reports.paper.methods import BACKBONES, METHODS, PROGRESSIVE
from fgbench_docs.markdown import code, prose, table

_SECTION = re.compile(r"\b(?:[Ss]ections?) ([IVX]+(?:-[A-F])?(?: and [IVX]+(?:-[A-F])?)*)")
_NAMED = {"name", "description", "method"}


def sections() -> str:
    """A table of the paper's methods: row, recipe, command, section of the paper."""
    cards = {card.name: card for card in recipe_cards()}
    methods = [*METHODS, PROGRESSIVE, *(one for one in BACKBONES.values() if one not in METHODS)]
    return table(
        ["Method of the paper", "Of", "Command", "Recipe", "Section"],
        [
            [
                prose(method.name),
                {"image": "images", "video": "clips"}[method.source],
                code(method.command),
                code(method.recipe),
                _sections(cards[method.recipe]),
            ]
            for method in methods
        ],
    )


def method_recipes() -> str:
    """Every recipe of a method: a heading per command, and per recipe what it is and what it sets."""
    cards = [card for card in recipe_cards() if card.kind != "prepare" and not card.package]
    lines = []
    for command, group in groupby(cards, key=lambda card: card.command):
        lines += [f"## fgbench {command}", ""]
        for card in group:
            lines += [f"### {card.name}", "", f"{prose(describe(card))}", ""]
            lines += [f"{code(f'fgbench {_plain(card.usage)}')}; {_in_paper(card)}.", ""]
            if remarks := _remarks(card):
                lines += [*remarks, ""]
            changed = [key for key in keys_of(read_recipe(card)) if _is_changed(key)]
            if changed:
                lines += [table(["Setting", "Here", "Default"], map(_row, changed)), ""]
    return "\n".join(lines)


def _in_paper(card: RecipeCard) -> str:
    found = _sections(card)
    return f"section {found} of the paper" if found else "not in the paper"


def _sections(card: RecipeCard) -> str:
    """Sections of the paper that the head of a recipe names, or that of the recipe in the paper's size."""
    found = {part for match in _SECTION.finditer(card.header) for part in match[1].split(" and ")}
    return ", ".join(sorted(found, key=_by_number))


def _by_number(section: str) -> tuple[int, str]:
    return (["I", "II", "III", "IV", "V", "VI", "VII"].index(section.partition("-")[0]), section)


def _plain(usage: str) -> str:
    return usage.partition(" (")[0]


def _remarks(card: RecipeCard) -> list[str]:
    """What the head of a file says beside its title and command, as paragraphs."""
    if not card.is_packed:
        return []
    _, _, rest = card.header.partition("\n\n")
    lines = [line for line in rest.splitlines() if not line.startswith("Command:")]
    return [prose("\n".join(lines))] if lines else []


def _is_changed(key: Key) -> bool:
    return not key.is_section and key.path not in _NAMED and key.value != key.default


def _row(key: Key) -> list[str]:
    return [code(key.path), code(in_yaml(key.value)), code(in_yaml(key.default)) if key.has_default else ""]
