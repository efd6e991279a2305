"""Baselines that are recipes of another method's network: ``fgbench baseline <name>`` for each.

A baseline here is trained as ``fgbench train msau`` or ``tmsau`` trains that recipe, into the very same run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from fgbench.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeBaseline:
    """A row of Table II that is a recipe; its paper's recipe bears the baseline's name.

    Attributes:
        summary: Description, the help of its command.
        train: Command of ``fgbench train`` that trains the same network.
        takes: Options of that command that it has too.
        keys: Required values of its recipes, by dotted key.
        has: Description of another recipe; its keys may stand in braces.
        expected: Description of its recipes.
    """

    summary: str
    train: str
    takes: frozenset[str] = field(default_factory=frozenset)
    keys: Mapping[str, Any]
    has: str
    expected: str

    def check(self, config: Any) -> None:
        """Refuse the recipe of another network.

        Args:
            config: A recipe of ``train``.

        Raises:
            ConfigError: If it is for another network.
        """
        if all(_value(config, key) == value for key, value in self.keys.items()):
            return
        raise ConfigError(
            f"recipe {config.name} has {self.has.format(**dict(config))}, expected {self.expected}",
            f"fgbench train {self.train} --recipe {config.name}",
        )


def _value(config: Any, key: str) -> Any:
    """Return a setting by its dotted key; ``None`` where a section has no such key."""
    return reduce(lambda section, name: getattr(section, name, None), key.split("."), config)


_STREAMS = "the streams spatial: {spatial}, temporal: {temporal}"

RECIPE_BASELINES = {
    "plain-cnn": RecipeBaseline(
        summary="MSAU-Net without region layer, action units and zoom; as 'train msau --variant plain-cnn'.",
        train="msau",
        keys={
            "au_recipe": None,
            "region_counts": (),
            "network.zooms": 0,
            "network.trunk.region_layer": False,
        },
        has="action units, zooms or a region layer",
        expected="a plain CNN",
    ),
    # The neural aggregation network (Yang et al. 2017), paper section V-C.
    "nan": RecipeBaseline(
        summary="Attention over the frames of clips (NAN): TMSAU-Net without its temporal stream.",
        train="tmsau",
        takes=frozenset({"image_run"}),
        keys={"spatial": "attention", "temporal": None},
        has=_STREAMS,
        expected="attention alone",
    ),
    # Classes of single frames and of stacks of flow, averaged over a clip and then over the streams (V-C).
    "plain-tsnet": RecipeBaseline(
        summary="Two streams of GoogLeNet on clips, of frames and of optical flow, without attention.",
        train="tmsau",
        takes=frozenset({"weights"}),
        keys={"spatial": "rgb", "temporal": "flow"},
        has=_STREAMS,
        expected="rgb and flow",
    ),
}
"""Baselines by the name that a user types."""
