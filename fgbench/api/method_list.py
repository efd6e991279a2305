"""Methods that can be run, by the names that users type; read without importing any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

VARIANTS = ("plain-cnn", "au-cnn", "au-z-cnn", "msau", "msau-joint", "msau-progressive")
"""Networks of Table II, one whose trunk is trained as well (paper section V-B), and the one of Figure 7."""

TEMPORAL = ("flow", "vgg-lstm", "c3d-lstm")
"""Temporal streams of TMSAU-Net (Table V)."""

_KIND = "methods"


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """A method of a module of its own.

    Attributes:
        name: Its name, with hyphens.
        summary: Description, one sentence.
        on_device: Whether it is a network, which runs on a device.
        has_small: Whether a small recipe is packed for machines without GPU.
        options: Options of its own: name to kind (see :data:`fgbench.plugin_sketch.KINDS`) and help.
    """

    name: str
    summary: str
    on_device: bool
    has_small: bool
    options: Mapping[str, tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeMethod:
    """A method that is a recipe of another method's network.

    Attributes:
        name: Its name.
        summary: Description, one sentence.
        takes: What it can start from: ``"image_run"``, ``"weights"``.
    """

    name: str
    summary: str
    takes: frozenset[str]


def recipe_methods() -> list[RecipeMethod]:
    """Return the methods that are recipes of another one's network."""
    from fgbench.catalogue.recipe_baselines import RECIPE_BASELINES

    return [
        RecipeMethod(name=name, summary=one.summary, takes=one.takes)
        for name, one in RECIPE_BASELINES.items()
    ]


def own_methods() -> list[Method]:
    """Return the methods that come with fgbench and have a module of their own."""
    from fgbench import plugins

    return [_method(name) for name in plugins.own_names(_KIND)]


def other_methods() -> list[Method]:
    """Return the methods of other packages; of a file that is not valid Python the summary says so."""
    from fgbench import plugins

    return [_method(name) for name in plugins.other_names(_KIND)]


def left_out() -> list[str]:
    """Return a sentence on each plug-in of another package that was asked for and cannot be used."""
    from fgbench import plugins

    return list(plugins.left_out())


def _method(name: str) -> Method:
    from fgbench import plugins
    from fgbench.resources import resource

    sketch = plugins.readable_sketch(_KIND, name)
    rest = re.sub(r"^[^:]*``: ", "", sketch.summary)  # without the name of the method before it
    return Method(
        name=name.replace("_", "-"),
        summary=rest[:1].upper() + rest[1:],
        on_device="DEVICE" in sketch.names,
        has_small=(resource("pipelines", "baseline") / f"{name.replace('_', '-')}-small.yaml").is_file(),
        options=sketch.options,
    )
