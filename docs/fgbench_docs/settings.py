"""Every setting of every kind of recipe, with its default and documentation, from the fields."""

from __future__ import annotations

from collections.abc import Mapping

from fgbench.catalogue.recipes import read_recipe, recipe_card
from fgbench.config.described import Key, in_yaml, keys_of
from fgbench_docs.markdown import code, prose, table

KINDS: Mapping[str, str] = {
    "default": "fgbench prepare",
    "au": "fgbench train au",
    "msau": "fgbench train msau",
    "tmsau": "fgbench train tmsau",
    "lbp-svm": "fgbench baseline lbp-svm",
    "dense-traj-svm": "fgbench baseline dense-traj-svm",
    "insightface": "fgbench baseline insightface",
    "backbone": "fgbench baseline backbone",
    "video-backbone": "fgbench baseline video-backbone",
}
"""A recipe of each kind, and the command that takes it; ``plain-cnn``, ``nan`` and ``plain-tsnet`` take those
of ``msau`` and ``tmsau``."""


def keys(recipe: str) -> list[Key]:
    """All keys of the kind of recipe that a packed one is of."""
    return keys_of(read_recipe(recipe_card(recipe)))


def reference() -> str:
    """A heading per kind of recipe and section, and a table of its keys."""
    lines = []
    for recipe, command in KINDS.items():
        lines += [f"## {command}", ""]
        found = keys(recipe)
        top = [key for key in found if "." not in key.path and not key.is_section]
        lines += [_table(top), ""]
        for section in (key for key in found if key.is_section):
            inside = [
                key for key in found if not key.is_section and key.path.rpartition(".")[0] == section.path
            ]
            title = f"### {section.path} {{ #{recipe}-{section.path.replace('.', '-').replace('_', '-')} }}"
            lines += [title, "", prose(section.doc), ""]
            if inside:
                lines += [_table(inside), ""]
    return "\n".join(lines)


def _table(found: list[Key]) -> str:
    return table(
        ["Setting", "Default", "Takes", "What it is"],
        [
            [
                code(key.path.rpartition(".")[2]),
                code(in_yaml(key.default)) if key.has_default else "has to be given",
                prose(key.takes),
                prose(key.doc),
            ]
            for key in found
        ],
    )
