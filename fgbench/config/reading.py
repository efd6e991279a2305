"""Reading of recipes: from a packed name or a YAML file to a checked section.

Any fault of a recipe is one :class:`fgbench.errors.ConfigError` of a few lines, raised before
anything is computed: no file, however large or odd, takes long to refuse. The limits are our own.
"""

from __future__ import annotations

import copy
import json
import reprlib
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import Tag, ValidationError

from fgbench.config.map_trunks import TRUNK_TAGS
from fgbench.config.named_recipes import NamedRecipe, brought_recipes, named_recipe, packed_names
from fgbench.config.prepare import PrepareConfig
from fgbench.config.sections import Section
from fgbench.config.strict_yaml import MAX_BYTES, read_yaml
from fgbench.errors import ConfigError, MediaError
from fgbench.files.regular_files import read_regular

Recipe = TypeVar("Recipe", bound=Section)
EXTENDS = "extends"
"""Key of a recipe that names another recipe to take missing keys from: one in the same folder, else a packed
one."""

MAX_EXTENDS = 16
"""Longest chain of recipes of which each extends the next."""

_MAX_FAULTS = 5
_MAX_MESSAGE = 300
_MAX_NAME = 100

_SHORT = reprlib.Repr()
_SHORT.maxlevel = 2
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60


def load_baseline(baseline: str, model: type[Recipe], recipe: str | None = None) -> Recipe:
    """Read a recipe of a baseline.

    Args:
        baseline: Name of the baseline, e.g. ``"lbp-svm"``.
        model: Class of its recipes, e.g. :class:`fgbench.config.LbpSvmConfig`.
        recipe: Name of a packed recipe, or path of a YAML file; ``None`` takes the one named like the
            baseline, or the defaults of ``model`` if none is packed.

    Raises:
        ConfigError: As :func:`load_prepare`.
    """
    if recipe is None and baseline not in recipe_names("baseline"):
        return check_recipe({"name": baseline}, f"the default recipe of {baseline}", model)
    return _read(recipe or baseline, "baseline", model)


def load_training(recipe: str, model: type[Recipe]) -> Recipe:
    """Read a recipe of ``fgbench train``.

    Args:
        recipe: Name of a packed recipe (``"msau"``), or path of a YAML file.
        model: Class of the recipe, e.g. :class:`fgbench.config.TrainImageConfig`.

    Raises:
        ConfigError: As :func:`load_prepare`.
    """
    return _read(recipe, "train", model)


def recipe_names(kind: str = "prepare") -> list[str]:
    """Names of the recipes that come with fgbench and with plugins of other packages, sorted.

    Args:
        kind: Folder under ``pipelines/``.
    """
    return sorted({*packed_names(kind), *brought_recipes(kind)})


def load_prepare(recipe: str) -> PrepareConfig:
    """Read a recipe of ``fgbench prepare``.

    Args:
        recipe: Name of a recipe that comes with fgbench (``"demo"``), or path of a YAML file.

    Raises:
        ConfigError: If there is no such recipe, or it is not valid; the message names the key and, where a
            key is misspelt, the nearest one.
    """
    return _read(recipe, "prepare", PrepareConfig)


def parse_prepare(text: str, origin: str) -> PrepareConfig:
    """Validate the text of a recipe.

    Args:
        text: YAML.
        origin: Name of the file, for messages.

    Raises:
        ConfigError: If the text is not YAML or not a valid recipe.
    """
    return _parse(text, origin, PrepareConfig)


def _read(recipe: str, kind: str, model: type[Recipe]) -> Recipe:
    named = _find_recipe(recipe, kind)
    return check_recipe(_inherited(named, kind, ()), named.origin, model)


def _parse(text: str, origin: str, model: type[Recipe]) -> Recipe:
    return check_recipe(_mapping(text, origin), origin, model)


def check_recipe(raw: dict[str, Any], origin: str, model: type[Recipe]) -> Recipe:
    """Return the recipe of plain values.

    Args:
        raw: Keys and values.
        origin: Name of the recipe, for messages.
        model: Its type.

    Raises:
        ConfigError: If it is not valid; the message names the key and, where a key is misspelt, the nearest
            one.
    """
    try:
        # As JSON, so that a number has to be one: "010", true or 3.0 are not converted.
        return model.model_validate_json(json.dumps(raw), strict=True)
    except ValidationError as error:
        raise ConfigError(
            f"{origin} is not a valid recipe: {_explain(error, model)}", "correct the recipe"
        ) from error


@lru_cache(maxsize=256)
def _parsed(text: str) -> Any:
    """Value of a YAML text: recipes extend others, which are read many times."""
    return read_yaml(text)


def _mapping(text: str, origin: str) -> dict[str, Any]:
    try:
        raw = copy.deepcopy(_parsed(text))  # callers change it
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{origin} is not valid YAML: {_bounded(str(error))}", "correct the file"
        ) from error
    if not isinstance(raw, dict):
        raise ConfigError(
            f"{origin} holds {type(raw).__name__}, expected keys and values", "see a packed recipe"
        )
    return raw


def _read_text(path: Path) -> str:
    """Text of a recipe file.

    Raises:
        ConfigError: If it is no regular file of at most :data:`MAX_BYTES` of UTF-8, or cannot be read.
    """
    try:
        data = read_regular(path, max_bytes=MAX_BYTES)
    except MediaError as error:
        raise ConfigError(_bounded(error.message), "expected a recipe: a small YAML file") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"{path} is not UTF-8: {error.reason} at byte {error.start}", "save it as UTF-8 text"
        ) from error


def _text_of(recipe: NamedRecipe) -> str:
    """Return the text of a recipe, from its file or plugin.

    Raises:
        ConfigError: As :func:`_read_text`; or if a plugin brings more than :data:`MAX_BYTES`.
    """
    if recipe.path is not None:
        return _read_text(recipe.path)
    if len(recipe.text) > MAX_BYTES:
        raise ConfigError(
            f"{recipe.origin} has {len(recipe.text):,} characters", "expected a recipe: a small YAML text"
        )
    return recipe.text


def _inherited(recipe: NamedRecipe, kind: str, chain: tuple[str, ...]) -> dict[str, Any]:
    """Keys of a recipe over those of the recipe that it ``extends``."""
    origin = recipe.origin
    raw = _mapping(_text_of(recipe), origin)
    if EXTENDS not in raw:
        return raw
    name = raw.pop(EXTENDS)
    if not isinstance(name, str) or len(name) > _MAX_NAME:
        raise ConfigError(
            f"{origin} extends {_SHORT.repr(name)}, expected the name of a recipe",
            f"name a recipe beside it, or one of {', '.join(recipe_names(kind))}",
        )
    parent = _parent(recipe, name, kind)
    if parent is None:
        beside = f"no {recipe.path.parent / name}{recipe.path.suffix} and " if recipe.path else ""
        raise ConfigError(
            f"{origin} extends {name!r}, and there is {beside}no packed recipe of this name",
            f"name a recipe beside it, or one of {', '.join(recipe_names(kind))}",
        )
    if parent.origin in (origin, *chain):
        raise ConfigError(f"{origin} extends {name!r}, which extends it in turn", "break the circle")
    if len(chain) >= MAX_EXTENDS:
        raise ConfigError(
            f"{chain[0]} extends a recipe that extends another, more than {MAX_EXTENDS} times",
            "shorten the chain",
        )
    return _over(_inherited(parent, kind, (*chain, origin)), raw)


def _parent(recipe: NamedRecipe, name: str, kind: str) -> NamedRecipe | None:
    """Return the recipe that another one extends: a file beside it, else a packed one or one of a plugin."""
    if Path(name).name != name:
        return None
    if recipe.path is not None:
        beside = recipe.path.parent / f"{name}{recipe.path.suffix}"
        if _is_there(beside):
            return NamedRecipe(name=name, origin=str(beside), path=beside)
    return named_recipe(kind, name)


def _is_there(path: Path) -> bool:
    """Return whether a readable file has this name; a name that no file can have gives false."""
    try:
        return path.exists() and not path.is_dir()
    except (OSError, ValueError):
        return False


def _over(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in changes.items():
        old = merged.get(key)
        merged[key] = _over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return merged


def _find_recipe(recipe: str, kind: str) -> NamedRecipe:
    if recipe.endswith((".yaml", ".yml")):
        path = Path(recipe)
        if not _is_there(path):
            raise ConfigError(
                f"no recipe file {_bounded(recipe)}", f"packed recipes: {', '.join(recipe_names(kind))}"
            )
        return NamedRecipe(name=path.stem, origin=str(path), path=path)
    name = recipe.replace("_", "-")
    named = named_recipe(kind, name)
    if named is None:
        names = recipe_names(kind)
        near = get_close_matches(name, names, n=1)
        meant = f"did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"unknown recipe {_SHORT.repr(recipe)}",
            f"{meant}packed recipes: {', '.join(names)}; or give the path of a .yaml file",
        )
    return named


def _explain(error: ValidationError, model: type[Section]) -> str:
    """The first faults of a recipe, each in a few words."""
    lines = []
    faults = error.errors(include_url=False, include_context=False)
    for item in faults[:_MAX_FAULTS]:
        where = _bounded(".".join(str(part) for part in item["loc"] if part not in TRUNK_TAGS), _MAX_NAME)
        if item["type"] == "extra_forbidden":
            keys = _keys_beside(item["loc"], model)
            near = get_close_matches(str(item["loc"][-1])[:_MAX_NAME], keys, n=1)
            is_alone = len(faults) == 1 and keys
            others = f", expected one of {', '.join(sorted(keys))}" if is_alone else ""
            lines.append(f"unknown key {where}" + (f", did you mean {near[0]!r}?" if near else others))
        elif item["type"] == "missing":
            lines.append(f"key {where} is missing")
        else:
            lines.append(f"{where} = {_SHORT.repr(item['input'])}: {item['msg']}" if where else item["msg"])
    if len(faults) > _MAX_FAULTS:
        lines.append(f"and {len(faults) - _MAX_FAULTS} more")
    return "; ".join(_bounded(line) for line in lines)


def _bounded(text: str, most: int = _MAX_MESSAGE) -> str:
    return text if len(text) <= most else f"{text[: most - 4]} ..."


def _keys_beside(location: tuple[int | str, ...], root: type[Section]) -> list[str]:
    model: Any = root
    for part in location[:-1]:
        kinds = get_args(model)
        if kinds:  # sections of several kinds, each with its tag
            model = next(kind.__origin__ for kind in kinds if Tag(str(part)) in kind.__metadata__)
        else:
            model = model.model_fields[str(part)].annotation
    return list(model.model_fields)
