"""The contract of adapters of data sets."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

from fgbench import plugins
from fgbench.config import load_prepare
from fgbench.config.named_recipes import NAME, brought_recipes, packed_names
from fgbench.contracts.signatures import signature_fault
from fgbench.datasets import WHOLE, Card
from fgbench.errors import ConfigError, DatasetError
from fgbench.records import SPLITS
from fgbench.taxonomy import ontology

_FACTS = ("title", "licence", "citation", "request", "protocol")
_KINDS = ("image", "video", "au")


def dataset_faults(name: str, module: ModuleType) -> list[str]:
    """What an adapter does not keep to.

    Its card is complete and agrees with itself, an empty folder is refused with an error that a user
    understands, and the recipes that it brings are valid and of it.

    Args:
        name: Its name, with underscores.
        module: Its module.
    """
    found = card_faults(module.CARD)
    found += signature_fault(module.list_clips, ["root"], ["root", "variant"])
    if not found:
        found += _of_empty_folder(module)
    if plugins.package_of("datasets", name):
        found += _recipe_faults(name, module)
    return found


def card_faults(card: Card) -> list[str]:
    """What is missing in a card, or contradicts itself.

    Args:
        card: The card.
    """
    found = [f"CARD.{fact} is empty" for fact in _FACTS if not str(getattr(card, fact)).strip()]
    if card.kind not in _KINDS:
        found.append(f"CARD.kind is {card.kind!r}, expected one of {', '.join(_KINDS)}")
    found += [f"CARD.{fact} is empty" for fact in ("layouts", "variants") if not getattr(card, fact)]
    names = [variant.name for variant in card.variants]
    if len(set(names)) < len(names):
        found.append(f"CARD.variants have names twice: {', '.join(map(repr, names))}")
    if any(variant.totals for variant in card.variants) and not card.totals_source:
        found.append("CARD.totals_source does not say where the totals come from")
    for variant in card.variants:
        try:
            labels = ontology(variant.scheme).labels
        except ConfigError as error:
            found.append(f"variant {variant.name!r}: {error.message}")
            continue
        for part, counts in variant.classes.items():
            if part not in (*SPLITS, WHOLE):
                found.append(f"variant {variant.name!r}: {part!r} is no part of a data set")
            strange = sorted(set(counts) - set(labels))
            if strange:
                found.append(f"variant {variant.name!r}: {variant.scheme} has no {', '.join(strange)}")
            if sum(counts.values()) != variant.totals.get(part):
                total = variant.totals.get(part)
                found.append(
                    f"variant {variant.name!r}: classes of {part} sum up to {sum(counts.values())}, "
                    f"and its total is {total}"
                )
    return found


def _of_empty_folder(module: ModuleType) -> list[str]:
    """Whether an empty folder gives nothing or a :class:`DatasetError` for every variant, and not a crash."""
    found = []
    with TemporaryDirectory(prefix="fgbench-") as folder:
        for variant in module.CARD.variants:
            takes_variant = not signature_fault(module.list_clips, ["root", "variant"])
            arguments = (Path(folder), variant.name) if takes_variant else (Path(folder),)
            try:
                entries = module.list_clips(*arguments)
            except DatasetError:
                continue
            except Exception as error:
                found.append(
                    f"list_clips of an empty folder raises {type(error).__name__} ({error}), "
                    "expected fgbench.errors.DatasetError"
                )
                continue
            if list(entries):
                found.append(f"list_clips of an empty folder gives {len(list(entries))} entries")
    return found


def _recipe_faults(name: str, module: ModuleType) -> list[str]:
    """What is wrong with the recipes that an adapter of another package brings, or that is made for it."""
    found = []
    told = getattr(module, "RECIPES", {})
    brought = {key: one for key, one in brought_recipes("prepare").items() if one.plugin == name}
    for key in dict.fromkeys([*told, name.replace("_", "-")]):
        if not isinstance(key, str) or not NAME.fullmatch(key):
            found.append(f"RECIPES: {key!r} is no name: expected small letters, digits and single hyphens")
        elif not isinstance(told.get(key, ""), str):
            found.append(f"RECIPES: {key} is {type(told[key]).__name__}, expected YAML text")
        elif key in packed_names("prepare"):
            found.append(f"recipe {key}: fgbench has one of this name itself, which is taken")
        elif key not in brought:
            found.append(f"recipe {key}: another plug-in brings one of this name, which is taken")
        else:
            found += _one_recipe_faults(key, name)
    return found


def _one_recipe_faults(key: str, name: str) -> list[str]:
    try:
        recipe = load_prepare(key)
    except ConfigError as error:
        return [error.message]
    adapter = recipe.dataset.adapter.replace("-", "_")
    if adapter != name:
        return [f"recipe {key}: dataset.adapter is {recipe.dataset.adapter}, expected {name}"]
    return []
