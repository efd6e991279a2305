"""The network that the user names by a file or folder, its classes, its licence."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from fgbench.config import BackboneConfig, VideoBackboneConfig
from fgbench.errors import ConfigError, MediaError
from fgbench.files.regular_files import read_regular
from fgbench.methods.backbone.frozen import Frozen
from fgbench.methods.backbone.hf_safety import local_folder
from fgbench.methods.backbone.opening import open_network
from fgbench.training.context import TrainingContext

_MOST_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Options of the user, as of :func:`fgbench.methods.backbone.method.run`."""

    onnx: Path | None
    hf: str | None
    torch: Path | None
    arch: str | None
    download: bool
    licence: str | None
    zero_shot: bool = False
    classes: Path | None = None
    mapping: tuple[str, ...] = ()
    prompts: Path | None = None


def open_asked(
    asked: Asked, config: BackboneConfig | VideoBackboneConfig, context: TrainingContext
) -> Frozen:
    """Open the network that the user names; what its files hold beside it is noted.

    Raises:
        FgbenchError: As of :func:`fgbench.methods.backbone.opening.open_network`.
    """
    path, format_ = _place(asked)
    frozen = open_network(
        path,
        format_=format_,
        device=context.device,
        output=config.output,
        pooling=config.pooling,
        classes=() if asked.classes is None else read_names(asked.classes),
        arch=asked.arch or "",
        architecture=config.architecture,
    )
    for line in frozen.notes:
        context.note(line)
    return frozen


def _place(asked: Asked) -> tuple[Path, str]:
    """Return the file or folder of the network, and its format."""
    if asked.onnx is not None:
        return asked.onnx, "onnx"
    if asked.torch is not None:
        return asked.torch, "torch"
    return local_folder(str(asked.hf), download=asked.download), "hf"


def read_names(path: Path) -> list[str]:
    """Return names of classes in a file: one a line, or a JSON list.

    Raises:
        ConfigError: If it is missing or holds none.
    """
    try:
        text = read_regular(path, max_bytes=_MOST_BYTES).decode("utf-8-sig")
        names = json.loads(text) if text.lstrip().startswith("[") else text.splitlines()
    except (MediaError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ConfigError(
            f"cannot read names of classes in {path}", "name a text file with one a line, or a JSON list"
        ) from error
    listed = [name.strip() for name in names if isinstance(name, str) and name.strip()]
    if len(listed) < 2:
        raise ConfigError(
            f"{path} names {len(listed)} classes, expected two or more", "one a line, or a JSON list"
        )
    return listed
