"""The public data sets that fgbench reads, from the cards of their adapters."""

from __future__ import annotations

from fgbench import plugins
from fgbench.catalogue.listing import recipes_by_adapter
from fgbench.catalogue.recipes import recipe_card
from fgbench.config import PrepareConfig
from fgbench.datasets import Card, Variant
from fgbench_docs.markdown import code, prose, table

_KINDS = {"image": "pictures", "video": "clips", "au": "action units"}


def cards() -> str:
    """A table of all data sets, then a section for each: recipes, layouts, licence, published numbers."""
    found = {
        adapter: (plugins.load("datasets", adapter).CARD, recipes)
        for adapter, recipes in recipes_by_adapter().items()
        if not plugins.load("datasets", adapter).CARD.is_own
    }
    overview = table(
        ["Data set", "Of", "Recipes", "Licence"],
        [
            [
                f"[{prose(card.title)}](#{adapter})",
                _KINDS[card.kind],
                ", ".join(code(recipe.name) for recipe in recipes),
                prose(card.licence),
            ]
            for adapter, (card, recipes) in sorted(found.items(), key=lambda item: item[1][0].title.lower())
        ],
    )
    sections = [
        _section(adapter, *of)
        for adapter, of in sorted(found.items(), key=lambda item: item[1][0].title.lower())
    ]
    return "\n".join([overview, *sections])


def _section(adapter: str, card: Card, recipes: list[PrepareConfig]) -> str:
    facts = {
        "Licence": prose(card.licence),
        "Where to ask": prose(card.request),
        "Cite": prose(card.citation),
        "Training and test": prose(card.protocol),
        "Layout": "<br>".join(code(layout) for layout in card.layouts),
        "Not confirmed in a public source": "; ".join(map(prose, card.unconfirmed)),
    }
    rows = [[f"**{name}**", text] for name, text in facts.items() if text]
    lines = [f"### {prose(card.title)} {{ #{adapter} }}", "", table(["", ""], rows)]
    lines.append(
        table(
            ["Recipe", "Label set", "What it is"],
            [
                [code(one.name), code(one.dataset.scheme), prose(one.description)]
                for one in recipes
                if recipe_card(one.name).kind == "prepare"
            ],
        )
    )
    if numbers := [text for variant in card.variants if (text := _numbers(variant))]:
        source = f" ({prose(card.totals_source)})" if card.totals_source else ""
        lines.append(f"Published numbers{source}: {'; '.join(numbers)}.\n")
    return "\n".join(lines)


def _numbers(variant: Variant) -> str:
    if not variant.totals:
        return ""
    parts = ", ".join(
        f"{'in all' if part == 'all' else part} {count:,}" for part, count in variant.totals.items()
    )
    people = f", {variant.subjects} subjects" if variant.subjects else ""
    return f"{prose(variant.about)}: {parts}{people}" if variant.about else parts + people
