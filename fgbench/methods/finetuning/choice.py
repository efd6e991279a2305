"""Values of ``--finetune``: the part of a network that is trained on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fgbench.errors import ConfigError

_LAST = re.compile(r"last-([1-9]\d{0,3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A part of a network that is trained on.

    Attributes:
        kind: ``"all"``, ``"last"`` or ``"lora"``.
        blocks: Number of blocks of ``"last"``, else 0.
    """

    kind: Literal["all", "last", "lora"]
    blocks: int = 0

    @property
    def name(self) -> str:
        """The value of the option: ``"all"``, ``"last-2"``, ``"lora"``."""
        return f"last-{self.blocks}" if self.kind == "last" else self.kind

    @property
    def words(self) -> str:
        """The choice as tables show it."""
        if self.kind == "lora":
            return "fine-tuned (LoRA)"
        return "fine-tuned" if self.kind == "all" else f"fine-tuned ({self.name})"


def read_choice(text: str) -> Choice:
    """Return the choice of a value of ``--finetune``.

    Raises:
        ConfigError: If it is none.
    """
    if text == "all":
        return Choice(kind="all")
    if text == "lora":
        return Choice(kind="lora")
    if match := _LAST.fullmatch(text):
        return Choice(kind="last", blocks=int(match[1]))
    raise ConfigError(
        f"finetune is {text!r}, expected all, last-N with a number from 1, or lora",
        "name what is trained on: --finetune all, --finetune last-2 (the last two blocks), --finetune lora",
    )
