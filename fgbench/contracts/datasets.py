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
    """Violations of the contract by an adapter.

    Its card has to be complete and consistent, an empty folder has to be refused with an error for users,
    and the recipes that it brings have to be valid and use it.

    Args:
        name: Its name, with underscores.
        module: Its module.
    """
    faults = card_faults(module.CARD)
    faults += signature_fault(module.list_clips, ["root"], ["root", "variant"])
    if not faults:
        faults += _of_empty_folder(module)
    if plugins.package_of("datasets", name):
        faults += _recipe_faults(name, module)
    return faults


def card_faults(card: Card) -> list[str]:
    """Missing or inconsistent facts of a card.

    Args:
        card: The card.
    """
    faults = [f"CARD.{fact} is empty" for fact in _FACTS if not str(getattr(card, fact)).strip()]
    if card.kind not in _KINDS:
        faults.append(f"CARD.kind is {card.kind!r}, expected one of {', '.join(_KINDS)}")
    faults += [f"CARD.{fact} is empty" for fact in ("layouts", "variants") if not getattr(card, fact)]
    names = [variant.name for variant in card.variants]
    if len(set(names)) < len(names):
        faults.append(f"CARD.variants have names twice: {', '.join(map(repr, names))}")
    if any(variant.totals for variant in card.variants) and not card.totals_source:
        faults.append("CARD.totals_source does not say where the totals come from")
    for variant in card.variants:
        try:
            labels = ontology(variant.scheme).labels
        except ConfigError as error:
            faults.append(f"variant {variant.name!r}: {error.message}")
            continue
        for part, counts in variant.classes.items():
            if part not in (*SPLITS, WHOLE):
                faults.append(f"variant {variant.name!r}: {part!r} is no part of a data set")
            strange = sorted(set(counts) - set(labels))
            if strange:
                faults.append(f"variant {variant.name!r}: {variant.scheme} has no {', '.join(strange)}")
            if sum(counts.values()) != variant.totals.get(part):
                total = variant.totals.get(part)
                faults.append(
                    f"variant {variant.name!r}: classes of {part} sum up to {sum(counts.values())}, "
                    f"and its total is {total}"
                )
    return faults


def _of_empty_folder(module: ModuleType) -> list[str]:
    """Faults unless an empty folder gives nothing or a :class:`DatasetError` for every variant."""
    faults = []
    with TemporaryDirectory(prefix="fgbench-") as folder:
        for variant in module.CARD.variants:
            takes_variant = not signature_fault(module.list_clips, ["root", "variant"])
            arguments = (Path(folder), variant.name) if takes_variant else (Path(folder),)
            try:
                entries = module.list_clips(*arguments)
            except DatasetError:
                continue
            except Exception as error:
                faults.append(
                    f"list_clips of an empty folder raises {type(error).__name__} ({error}), "
                    "expected fgbench.errors.DatasetError"
                )
                continue
            if list(entries):
                faults.append(f"list_clips of an empty folder gives {len(list(entries))} entries")
    return faults


def _recipe_faults(name: str, module: ModuleType) -> list[str]:
    """Faults of the recipes that an adapter of another package brings, or that are made for it."""
    faults = []
    texts = getattr(module, "RECIPES", {})
    brought = {key: one for key, one in brought_recipes("prepare").items() if one.plugin == name}
    for key in dict.fromkeys([*texts, name.replace("_", "-")]):
        if not isinstance(key, str) or not NAME.fullmatch(key):
            faults.append(f"RECIPES: {key!r} is no name: expected small letters, digits and single hyphens")
        elif not isinstance(texts.get(key, ""), str):
            faults.append(f"RECIPES: {key} is {type(texts[key]).__name__}, expected YAML text")
        elif key in packed_names("prepare"):
            faults.append(f"recipe {key}: fgbench has one of this name itself, which is taken")
        elif key not in brought:
            faults.append(f"recipe {key}: another plug-in brings one of this name, which is taken")
        else:
            faults += _one_recipe_faults(key, name)
    return faults


def _one_recipe_faults(key: str, name: str) -> list[str]:
    try:
        recipe = load_prepare(key)
    except ConfigError as error:
        return [error.message]
    adapter = recipe.dataset.adapter.replace("-", "_")
    if adapter != name:
        return [f"recipe {key}: dataset.adapter is {recipe.dataset.adapter}, expected {name}"]
    return []
