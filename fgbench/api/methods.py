"""``fgbench.add_network``: a torch module of one's own as a method, for as long as the program runs."""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any

from fgbench import plugins
from fgbench.api.arguments import name_of, name_or_none, pairs, shown
from fgbench.api.own_code import code_digest
from fgbench.api.showing import paragraph
from fgbench.errors import ConfigError, package_missing

if TYPE_CHECKING:
    from fgbench.config import ImageNetworkConfig

_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_EXAMPLE = "fgbench.add_network('my-net', build), with build(settings, n_classes) -> torch.nn.Module"
_KINDS = (bool, int, float, str)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnNetwork:
    """A method that is a network of one's own, see :func:`add_network`; ``work.train(network)`` runs it.

    Attributes:
        name: Its name, which ``work.train`` takes too.
        title: What tables call it.
        settings: Its own settings with their defaults, beside those of the optimiser and the pictures.
    """

    name: str
    title: str
    settings: Mapping[str, Any]

    def __repr__(self) -> str:
        own = "".join(f", {name}={value!r}" for name, value in self.settings.items())
        return f"<OwnNetwork {self.name}{own}: {self.title}>"

    def _repr_html_(self) -> str:
        return paragraph(repr(self)[1:-1])


def add_network(
    name: str,
    build: Callable[[Any, int], Any],
    *,
    title: str | None = None,
    settings: Mapping[str, bool | int | float | str] | None = None,
    first_values: Callable[[Any, int], None] | None = None,
) -> OwnNetwork:
    """Make a torch module of one's own a method, until the program ends.

    ``work.train`` then trains it on the faces of a work folder, chooses the epoch on the validation part and
    predicts the test part, as with any method; ``run.network()`` uses it on files, and Table II shows it
    below the methods of the paper. A module in a file, which the commands know too, is a plug-in: README, "A
    network of your own".

    A run keeps a digest of the code of ``build``: with other code it is refused where a run of that name is
    there, unless ``force`` makes it again.

    Args:
        name: Small letters, digits and hyphens; what is added again under it is replaced.
        build: From settings and the number of classes to a module that turns normalised RGB faces, float32
            (B, 3, 224, 224), into logits (B, classes).
        title: What tables call it; ``None``: the name.
        settings: Settings of its own with their defaults, which ``build`` gets as attributes, and
            ``work.train(..., settings={...})`` changes; beside them it has ``optimiser`` and ``data``.
        first_values: Gives a built network its first values from the seed, e.g. from a file; ``None`` draws
            them, which replaces torch's own.

    Raises:
        ConfigError: If the name is taken or none, ``build`` cannot be called, or a setting is not plain.
        DependencyError: If torch is not installed.
    """
    typed = name_of("name", name, example="'my-net'")
    if not _NAME.fullmatch(typed):
        raise ConfigError(f"name {typed!r}, expected small letters, digits and hyphens", "e.g. 'my-net'")
    for what, function in (("build", build), ("first_values", first_values)):
        if not callable(function) and (what == "build" or function is not None):
            raise ConfigError(f"{what} is {shown(function)}, expected a function", f"e.g. {_EXAMPLE}")
    shown_as = name_or_none("title", title, example="title='My net'") or typed
    own = _own_settings(settings)
    _refuse_known(typed)
    plugins.add(
        "methods",
        typed,
        _module(typed, build, _recipe(shown_as, code_digest(build, first_values), own), first_values),
    )
    return OwnNetwork(name=typed, title=shown_as, settings=own)


def checked_method(method: Any) -> str:
    """Return the name of a method.

    Raises:
        ConfigError: If it is neither a name nor a network of one's own.
    """
    if isinstance(method, OwnNetwork):
        return method.name
    if isinstance(method, str) and method.strip():
        return method
    what = "a module of torch" if any(one.__name__ == "Module" for one in type(method).__mro__) else ""
    raise ConfigError(
        f"no method {what or shown(method)}",
        f"make it one: {_EXAMPLE}" if what or callable(method) else "name one, e.g. 'lbp-svm'",
    )


def known_method(name: str) -> str:
    """Return the name of a method as lists have it, with hyphens.

    Raises:
        ConfigError: If there is none; the message names the nearest, or the recipe that is meant.
    """
    from fgbench.methods.steps.method_names import method_names
    from fgbench.methods.steps.mistaken_names import no_method

    methods = method_names()
    if name.replace("_", "-") not in methods:
        raise no_method(name, methods)
    return name.replace("_", "-")


def _own_settings(given: Any) -> dict[str, Any]:
    from fgbench.config import ImageNetworkConfig

    own = pairs("settings", given, example="settings={'width': 16}")
    for name, value in own.items():
        if not name.isidentifier() or keyword.iskeyword(name) or name.startswith(("_", "model_")):
            raise ConfigError(f"setting {name!r}, expected a name of Python", "e.g. settings={'width': 16}")
        if name == "code" or name in ImageNetworkConfig.model_fields or hasattr(ImageNetworkConfig, name):
            raise ConfigError(
                f"setting {name!r} is there already in all recipes of networks",
                f"name it otherwise, or change it when it is run: train(..., settings={{'{name}': ...}})",
            )
        if not isinstance(value, _KINDS):
            raise ConfigError(
                f"setting {name} is {shown(value)}, expected a number, a text or a truth value",
                "make more complex ones in build",
            )
    return own


def _recipe(title: str, code: str, own: Mapping[str, Any]) -> type[ImageNetworkConfig]:
    """Return the class of recipes: those of all networks, with settings of its own and the digest of its
    code."""
    from pydantic import create_model

    from fgbench.config import ImageNetworkConfig

    fields: dict[str, Any] = {name: (type(value), value) for name, value in own.items()}
    fields["code"] = (str, code)
    recipe: type[ImageNetworkConfig] = create_model(
        "Recipe", __base__=ImageNetworkConfig, method=(str, title), **fields
    )
    return recipe


def _refuse_known(name: str) -> None:
    from fgbench.methods.steps.method_names import method_names

    ours = {*method_names()} - {one.replace("_", "-") for one in plugins.added_names("methods")}
    if name in ours:
        raise ConfigError(f"there is a method {name!r} already", "choose another name")


def _module(
    name: str,
    build: Callable[[Any, int], Any],
    recipe: type[ImageNetworkConfig],
    first_values: Callable[[Any, int], None] | None,
) -> ModuleType:
    """Return the method as the module of a plug-in has it."""
    try:
        from fgbench.methods import image_network
    except ImportError as error:
        raise package_missing("networks need", error.name) from error

    def checked(settings: Any, n_classes: int) -> Any:
        from torch import nn

        network = build(settings, n_classes)
        if not isinstance(network, nn.Module):
            raise ConfigError(
                f"build of {name} gave {shown(network)}, expected a torch.nn.Module", f"e.g. {_EXAMPLE}"
            )
        return network

    module: Any = ModuleType(name.replace("-", "_"), f"Network ``{name}`` of the running program.")
    module.RECIPE, module.NEEDS, module.DEVICE = recipe, (), True
    module.run = lambda config, context: image_network.run(
        config, context, kind=name, build=checked, first_values=first_values
    )
    module.open_trained = lambda trained, device: image_network.open_trained(
        trained, device, recipe=recipe, build=checked
    )
    own: ModuleType = module
    return own
