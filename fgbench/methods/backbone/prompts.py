"""Sentences that networks of pictures and texts compare faces with: packed ones, or the user's.

Reads ``manifests/prompts.yaml``: ``templates``, with ``{}`` for the name of a class, and ``classes``: of each
class its own sentences. Classes without sentences get the templates with their names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fgbench.config.strict_yaml import read_yaml
from fgbench.errors import ConfigError, MediaError
from fgbench.files.regular_files import read_regular
from fgbench.resources import resource
from fgbench.taxonomy import normal_label

_MOST_BYTES = 1 << 20

_Sentence = Annotated[str, Field(min_length=1, max_length=300)]
_Sentences = Annotated[list[_Sentence], Field(max_length=200)]


class _Prompts(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    templates: _Sentences = Field(default_factory=list)
    classes: Annotated[dict[str, _Sentences], Field(max_length=10_000)] = Field(default_factory=dict)


def prompts_of(classes: Sequence[str], own: Path | None = None) -> list[list[str]]:
    """Return the sentences of each class.

    Args:
        classes: Names of the classes.
        own: The user's file: its classes and, if it has any, its templates replace the packed ones.

    Raises:
        ConfigError: If the file is missing, not of this form, or a class has no sentence.
    """
    packed = _read(resource("manifests", "prompts.yaml"))
    mine = packed if own is None else _read(own)
    templates = mine.templates or packed.templates
    named = {**_by_name(packed.classes), **_by_name(mine.classes)}
    prompts = []
    for name in classes:
        words = normal_label(name).replace("_", " ")
        sentences = named.get(normal_label(name)) or [one.replace("{}", words) for one in templates]
        if not sentences:
            raise ConfigError(f"class {name!r} has no prompt in {own}", "add some, or templates with {}")
        prompts.append(list(sentences))
    return prompts


def _by_name(classes: Mapping[str, list[str]]) -> dict[str, list[str]]:
    return {normal_label(name): sentences for name, sentences in classes.items()}


def _read(path: Path) -> _Prompts:
    try:
        content: Any = read_yaml(read_regular(path, max_bytes=_MOST_BYTES).decode("utf-8"))
        return _Prompts.model_validate(content)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        key = ".".join(map(str, fault["loc"]))
        raise ConfigError(
            f"{path} is no file of prompts: {key}: {fault['msg']}",
            "templates: [...] with {} for the class, and classes: {name: [...]}",
        ) from error
    except (MediaError, OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"cannot read the prompts in {path}: {error}", "name a YAML file") from error
