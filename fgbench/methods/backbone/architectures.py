"""Networks of torch by name, for files that hold weights alone.

Names: ``iresnet18``, ``iresnet50``, ``iresnet100`` (arcface_torch), ``resnet18`` to ``resnet152``
(torchvision's keys), ``timm/NAME`` where timm is installed, and the model types of ``transformers``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from torch import nn

from fgbench.errors import ConfigError, DependencyError, package_missing
from fgbench.models.iresnet import INPUT_PX, iresnet
from fgbench.models.resnet import ResNet

TIMM = "timm/"
"""Beginning of the names of timm's networks."""

_SIDE = 224
_NOT_SETTINGS = frozenset(
    (
        "architectures",
        "attn_implementation",
        "auto_map",
        "dtype",
        "id2label",
        "label2id",
        "model_type",
        "name_or_path",
        "num_labels",
        "quantization_config",
        "torch_dtype",
        "transformers_version",
    )
)
"""Entries of configurations that say where a network comes from or how it is run."""
_FACES = {"scale": 1 / 255, "mean": (0.5,), "std": (0.5,), "colours": "rgb", "fixed_px": INPUT_PX}

OWN: Mapping[str, Callable[..., nn.Module]] = {
    **{f"iresnet{depth}": lambda width=1.0, depth=depth: iresnet(depth, width) for depth in (18, 50, 100)},
    **{
        f"resnet{depth}": lambda width=1.0, depth=depth: ResNet(depth, width=width)
        for depth in (18, 34, 50, 101, 152)
    },
}
"""fgbench's own networks of features."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    """A network whose module gives features of pictures.

    Attributes:
        make: Builds it.
        classifier: Name of its linear layer of classes in files; ``""`` for one without.
        stated: What is known of its input, by keys of the recipe's section ``input``.
    """

    make: Callable[[], nn.Module]
    classifier: str = ""
    stated: Mapping[str, Any] = field(default_factory=dict)


def plain_architecture(name: str, settings: Mapping[str, Any]) -> Plain | None:
    """Return one of fgbench's or timm's networks; ``None`` for any other name.

    Args:
        name: Name of the network.
        settings: Section ``architecture`` of the recipe; of fgbench's own ``width`` alone.

    Raises:
        ConfigError: If a setting is unknown, or timm has no such network.
        DependencyError: If timm is asked for and not installed.
    """
    if name.startswith(TIMM):
        return _of_timm(name.removeprefix(TIMM), settings)
    if name not in OWN:
        return None
    width = settings.get("width", 1.0)
    if {*settings} - {"width"} or not isinstance(width, int | float) or not 0 < width <= 16:
        raise ConfigError(
            f"architecture of {name} is {dict(settings)}, expected width alone, a number up to 16",
            "leave the rest out",
        )
    if name.startswith("iresnet"):
        return Plain(make=lambda: OWN[name](width=width), stated=_FACES)
    return Plain(
        make=lambda: OWN[name](width=width),
        classifier="fc",
        stated={"colours": "rgb", "size_px": _SIDE},
    )


def config_of(name: str, settings: Mapping[str, Any]) -> Any:
    """Return the configuration of a network of ``transformers``, without network.

    Args:
        name: Its model type, e.g. ``"vit"``.
        settings: Values that differ from those that transformers takes.

    Raises:
        ConfigError: If there is no such network or setting, or it takes no colour pictures alone.
        DependencyError: If transformers is not installed.
    """
    try:
        from transformers import AutoConfig
        from transformers.models.auto.modeling_auto import MODEL_MAPPING
    except ImportError as error:
        raise package_missing("networks by their names need", error.name, extra="backbone") from error
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    if name not in CONFIG_MAPPING_NAMES:
        near = get_close_matches(name, [*OWN, *CONFIG_MAPPING_NAMES], n=3)
        raise ConfigError(
            f"no network is called {name!r}, expected {', '.join(OWN)}, timm/NAME, or a model type of "
            "transformers, e.g. vit, convnext",
            f"did you mean {' or '.join(near)}?" if near else "name one with --arch",
        )
    usual = AutoConfig.for_model(name).to_dict()
    if any("backbone" in key for key in usual) or name.startswith("timm_"):
        raise ConfigError(
            f"{name} is built around a network of another file, expected one of its own weights",
            "name the network within: --arch resnet, --arch swin",
        )
    known = [key for key in usual if key not in _NOT_SETTINGS]
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            raise ConfigError(
                f"architecture of {name} has no setting {key!r}",
                f"did you mean {near[0]}?" if near else f"leave architecture.{key} out",
            )
    try:
        config = AutoConfig.for_model(name, **settings)
        kind = MODEL_MAPPING[type(config)]
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"transformers cannot make {name} with {dict(settings)}: {reason}",
            "check section architecture of the recipe",
        ) from error
    kind = kind[0] if isinstance(kind, tuple) else kind
    if hasattr(config, "vision_config") and hasattr(kind, "get_image_features"):
        raise ConfigError(
            f"{name} compares pictures with texts, for which a file of weights has no tokenizer, expected a "
            "network of pictures",
            f"give its folder with --hf; or its part for pictures alone: --arch {name}_vision_model",
        )
    if getattr(kind, "main_input_name", "") != "pixel_values":
        raise ConfigError(
            f"{name} takes no pictures, expected a network of pictures",
            "a network of texts or sounds alone cannot be used; name one of pictures",
        )
    if getattr(config, "num_channels", 3) != 3:
        raise ConfigError(
            f"{name} takes pictures of {config.num_channels} channels, expected 3",
            "networks of grey pictures cannot be used; name one of colour pictures",
        )
    return config


def stated_of(config: Any) -> dict[str, Any]:
    """Return what a configuration of transformers states of the input: its size."""
    side = getattr(config, "image_size", None)
    return {"colours": "rgb", "size_px": side if isinstance(side, int) else _SIDE}


def _of_timm(name: str, settings: Mapping[str, Any]) -> Plain:
    try:
        import timm
    except ImportError as error:
        raise DependencyError(
            f"timm/{name} needs timm, which is not installed here",
            "pip install timm, where torch and torchvision go together; or take one of fgbench's or "
            "transformers': --arch resnet50, --arch vit",
        ) from error

    def make() -> nn.Module:
        module: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **settings)
        return module

    try:
        about = timm.get_pretrained_cfg(name)
    except Exception as error:
        raise ConfigError(f"timm {timm.__version__} has no network {name!r}", "name another") from error
    told = {} if about is None else about.to_dict()
    stated = {
        "colours": "rgb",
        "scale": 1 / 255,
        "size_px": (told.get("input_size") or (3, _SIDE, _SIDE))[-1],
        "mean": told.get("mean"),
        "std": told.get("std"),
    }
    return Plain(make=make, stated=stated)
