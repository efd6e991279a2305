"""Names of all methods, as users type them."""

from __future__ import annotations

from fgbench import plugins
from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES
from fgbench.config import recipe_names

UNITS = "au"
"""The method that detects action units."""


def method_names() -> list[str]:
    """Return the names of all methods, those of other packages too, sorted."""
    recipes = recipe_names("train")
    trained = {
        name
        for name in recipes
        if f"{name}-small" in recipes
        and not any(name.startswith(f"{baseline}-") for baseline in RECIPE_BASELINES)
    }
    baselines = {name.replace("_", "-") for name in plugins.names("methods")}
    return sorted({*trained, *RECIPE_BASELINES, *baselines})


def is_of_clips(method: str) -> bool:
    """Return whether a method is TMSAU-Net, or a recipe of it that has a name of its own."""
    return method.startswith("tmsau") and method in recipe_names("train")


def is_of_images(method: str) -> bool:
    """Return whether a method is MSAU-Net, or a recipe of it that has a name of its own."""
    return method != UNITS and not method.startswith("tmsau") and method in recipe_names("train")
