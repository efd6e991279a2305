"""Any method by the name that a user types, as a training that is ready to be run: for ``Work.train``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fgbench.api.arguments import name_of, names_of, path_of, paths_of, switch, whole
from fgbench.api.baselines import baseline, recipe_baseline
from fgbench.api.method_list import TEMPORAL
from fgbench.api.training import Training, default_recipe, msau, tmsau, units
from fgbench.errors import ArgumentError
from fgbench.methods.steps.method_names import UNITS, is_of_clips, is_of_images

_OF_UNITS = ("folds", "also")
_OF_IMAGES = ("weights", "init", "trunk", "hf", "torch", "arch", "licence")
_OF_CLIPS = ("weights", "image_run", "temporal")
_FLAGS = ("flag", "switch")


def training_of(
    method: str,
    workdir: Path,
    *,
    recipe: str | None = None,
    changes: Sequence[str] = (),
    device: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Training:
    """Return the training of a method, as the command of that name has it.

    Args:
        method: One of :func:`fgbench.methods.steps.method_names.method_names`.
        workdir: Work folder.
        recipe: Packed recipe or file; ``None``: as of :func:`fgbench.api.training.default_recipe`.
        changes: Settings to change, see :func:`fgbench.config.with_changes`.
        device: Name of the device; ``None``: a GPU if there is one.
        options: Value of the method's own options by name, those that are given.

    Raises:
        ArgumentError: If the method has no such option, or its options do not go together.
        ConfigError: If a value, the recipe or a change is not valid.
        DependencyError: If an option that it needs is not given.
        ManifestError: If there are no weights of a name, or they are damaged.
    """
    own = dict(options or {})
    known = own_options(method)
    if unknown := sorted({*own} - {*known}):
        raise ArgumentError(
            f"{method} has no such option",
            f"it has {', '.join(known)}" if known else "it has none of its own",
            argument=unknown[0],
        )
    given = {name: _value(name, value, known[name]) for name, value in own.items() if value is not None}
    if method == UNITS:
        workdirs = [workdir, *given.get("also", ())]
        return units(workdirs, recipe=recipe, changes=changes, folds=given.get("folds", 0), device=device)
    if _is_recipe(method):
        return recipe_baseline(method, workdir, recipe=recipe, changes=changes, device=device, **given)
    if is_of_clips(method):
        if method != "tmsau" or "temporal" not in given:
            recipe = recipe or default_recipe(method, workdir, device)
        return tmsau(workdir, recipe=recipe, changes=changes, device=device, **given)
    if is_of_images(method):
        if "init" not in given:
            recipe = recipe or default_recipe(method, workdir, device)
        start = given.pop("weights", None)
        return msau(workdir, recipe=recipe, changes=changes, device=device, au_weights=start, **given)
    named = {name: given.get(name, False if kind in _FLAGS else None) for name, kind in known.items()}
    return baseline(method, workdir, recipe=recipe, changes=changes, options=named, device=device)


def own_options(method: str) -> dict[str, str]:
    """Return the options of a method beside those of all: name to kind, ``"file"``, ``"name"``, ``"names"``,
    ``"word"``, ``"flag"``, ``"switch"``, ``"number"`` or ``"folders"``."""
    kinds = {
        "weights": "file",
        "init": "name",
        "trunk": "name",
        "hf": "name",
        "torch": "file",
        "arch": "name",
        "licence": "name",
        "image_run": "name",
        "temporal": "word",
        "folds": "number",
        "also": "folders",
    }
    if method == UNITS:
        names: Sequence[str] = _OF_UNITS
    elif _is_recipe(method):
        from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES

        names = sorted(RECIPE_BASELINES[method].takes)
    elif is_of_clips(method):
        names = _OF_CLIPS
    elif is_of_images(method):
        names = _OF_IMAGES
    else:
        from fgbench import plugins

        declared = getattr(plugins.load("methods", method), "OPTIONS", {})
        return {name: kind for name, (kind, _) in declared.items()}
    return {name: kinds[name] for name in names}


def _is_recipe(method: str) -> bool:
    from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES

    return method in RECIPE_BASELINES


def _value(name: str, value: Any, kind: str) -> Any:
    """Return the value of an option, checked.

    Raises:
        ConfigError: If it is none of its kind.
    """
    if kind in _FLAGS:
        return switch(name, value)
    if kind == "names":
        listed = [f"{key}={item}" for key, item in value.items()] if isinstance(value, Mapping) else value
        return names_of(name, listed, example=f"{name}=['happy=happiness']")
    if kind == "number":
        return whole(name, value, least=0)
    if kind == "file":
        return path_of(name, value, example=f"{name}='weights.safetensors'")
    if kind == "folders":
        listed = value if isinstance(value, list | tuple) else [value]
        return paths_of(name, [getattr(one, "path", one) for one in listed], example="also=[other.path]")
    example = f"temporal={TEMPORAL[0]!r}" if kind == "word" else f"{name}='msau-small'"
    return name_of(name, value, example=example)
