"""Keys of recipes: value, default, accepted values, documentation; as YAML that can be edited.

The documentation is that of the sections' fields, of which there is no second copy.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from pydantic_core import PydanticUndefined

from fgbench.config.sections import Section

NO_DEFAULT = PydanticUndefined
"""Default of a key that has to be given."""

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*\Z")
_NULL = "null"
_WORDS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A key of a recipe.

    Attributes:
        path: Names of the sections that contain it, and its own, e.g. ``"network.dropout"``.
        value: Value in the recipe; ``None`` for a section.
        default: Value in a recipe that does not name it; :data:`NO_DEFAULT` if it has to be given.
        takes: Accepted values, with bounds, in words.
        doc: Its documentation.
        is_section: Whether it holds keys, which follow it.
    """

    path: str
    value: Any
    default: Any
    takes: str
    doc: str
    is_section: bool = False

    @property
    def has_default(self) -> bool:
        """Whether a recipe may leave it out."""
        return self.default is not NO_DEFAULT


def keys_of(config: Section) -> list[Key]:
    """All keys of a recipe, those of a section after it."""
    return list(_keys(config, None, ""))


def _keys(config: Section, defaults: Section | None, above: str) -> Iterator[Key]:
    schema = type(config).model_json_schema()
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        default = (
            getattr(defaults, name)
            if defaults is not None
            else NO_DEFAULT
            if field.is_required()
            else field.get_default(call_default_factory=True)
        )
        path = f"{above}{name}"
        if isinstance(value, Section):
            doc = _one_line(field.description or type(value).__doc__ or "")
            yield Key(path=path, value=None, default=None, takes="keys", doc=doc, is_section=True)
            yield from _keys(value, default if type(default) is type(value) else None, f"{path}.")
            continue
        takes = _takes(schema["properties"][name], schema.get("$defs", {}))
        doc = _one_line(field.description or "")
        yield Key(path=path, value=_plain(value), default=_plain(default), takes=takes, doc=doc)


def as_yaml(config: Section, header: str = "") -> str:
    """Write a recipe as a file: every key with documentation, accepted values and default as comments.

    Args:
        config: The recipe. Reading the text gives an equal one.
        header: Comments that come first, without their ``#``.
    """
    lines = [f"# {line}".rstrip() for line in header.splitlines()]
    for key in keys_of(config):
        *above, name = key.path.split(".")
        indent = "  " * len(above)
        comments = [key.doc.replace("``", "`")]
        if not key.is_section:
            comments.append(f"Takes {key.takes}; {_default_text(key)}.")
        if not above:
            lines.append("")
        lines += [f"{indent}# {line}" for text in comments for line in wrap(text, _WIDTH - len(indent))]
        lines.append(f"{indent}{name}:" if key.is_section else f"{indent}{name}: {in_yaml(key.value)}")
    return "\n".join(lines).lstrip("\n") + "\n"


def in_yaml(value: Any) -> str:
    """A value on one line of YAML, for :mod:`fgbench.config.strict_yaml`."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{in_yaml(key)}: {in_yaml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(in_yaml, value)) + "]"
    if isinstance(value, str) and _PLAIN.match(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _default_text(key: Key) -> str:
    return f"default {in_yaml(key.default)}" if key.has_default else "has to be given"


def _takes(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    """Accepted values of a key, in words, from its JSON schema."""
    if "$ref" in schema:
        return _takes(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(sorted((_takes(one, definitions) for one in schema["anyOf"]), key=_NULL.__ne__))
    if "const" in schema:
        return in_yaml(schema["const"])
    if "enum" in schema:
        return f"one of {', '.join(map(in_yaml, schema['enum']))}"
    kind = schema.get("type")
    if kind == "array":
        return _list(schema, definitions)
    if kind == "object":
        inner = schema.get("additionalProperties")
        return f"names, each with {_takes(inner, definitions)}" if isinstance(inner, dict) else "keys"
    if kind in ("integer", "number"):
        return _number(schema, "a whole number" if kind == "integer" else "a number")
    return {"boolean": "true or false", "string": "text", "null": _NULL}.get(str(kind), "a value")


def _list(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "prefixItems" in schema:
        items = [_takes(one, definitions) for one in schema["prefixItems"]]
        return f"a list of {len(items)}: " + (
            f"each {items[0]}" if len(set(items)) == 1 else ", ".join(items)
        )
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    count = f"at least {least}" if most is None else f"{least} to {most:,}"
    return f"a list of {count}, each {_takes(schema.get('items', {}), definitions)}"


def _number(schema: Mapping[str, Any], what: str) -> str:
    least, above = schema.get("minimum"), schema.get("exclusiveMinimum")
    most, below = schema.get("maximum"), schema.get("exclusiveMaximum")
    if least is not None and most is not None:
        return f"{what} from {_short(least)} to {_short(most)}"
    if least is not None and below is not None:
        return f"{what} from {_short(least)} to below {_short(below)}"
    bounds = {"from": least, "above": above, "up to": most, "below": below}
    parts = [f"{word} {_short(value)}" for word, value in bounds.items() if value is not None]
    return f"{what} {' and '.join(parts)}".rstrip()


def _short(number: float) -> str:
    return f"{int(number):,}" if number == int(number) and abs(number) < 1e12 else f"{number:g}"


def _plain(value: Any) -> Any:
    """A value as lists and names of JSON."""
    if isinstance(value, Section):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _one_line(text: str) -> str:
    return " ".join(text.split())
