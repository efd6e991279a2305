"""YAML as recipes need it: numbers are read in one way only, and no file is a bomb.

Reads text; opens nothing. YAML 1.1 takes ``010`` for 8, ``1:30`` for 90, ``1_0`` for 10, ``on`` for true and
``2001-01-01`` for a date, and silently the last of two equal keys. Here the rules are those of YAML
1.2's core schema: such words stay text, which a setting that is a number or a switch then refuses. A key
that is given twice is an error, and so is a text that is too large, nested too deeply, or grows by aliases.
The limits are our own.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

MAX_BYTES = 256 * 1024
"""Largest recipe file."""

MAX_NODES = 5_000
"""Most keys, values and items of a file; an alias counts with all that it stands for, each time."""

MAX_DEPTH = 40
"""Deepest nesting."""

MAX_DIGITS = 40
"""Most characters of a number."""

_TAG = "tag:yaml.org,2002:"
_FLOAT = (
    r"[-+]?(?:[0-9]+\.[0-9]*(?:[eE][-+]?[0-9]+)?|\.?[0-9]+[eE][-+]?[0-9]+|\.[0-9]+)"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_WORDS = {
    "null": (re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    "bool": (re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")),
    "int": (re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z"), list("-+0123456789")),
    "float": (re.compile(rf"(?:{_FLOAT})\Z"), list("-+0123456789.")),
    "merge": (re.compile(r"<<\Z"), ["<"]),
}
"""Kind of value to its words, and the characters that those begin with."""


class StrictLoader(yaml.SafeLoader):
    """Loads plain values only, by the rules of this module."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - as its base has it

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._nodes = 0
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node and its content, within the limits."""
        self._nodes += 1
        self._depth += 1
        if self._nodes > MAX_NODES:
            raise _refused(f"it has more than {MAX_NODES} keys and values", self._next_event())
        if self._depth > MAX_DEPTH:
            raise _refused(f"it is nested more than {MAX_DEPTH} deep", self._next_event())
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _next_event(self) -> yaml.Event:
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        return event

    def get_single_node(self) -> yaml.Node | None:
        """Return the document, if it stays within the limits when every alias is written out."""
        node: yaml.Node | None = super().get_single_node()
        if node is not None:
            _written_out(node, {})
        return node

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> dict[Hashable, Any]:
        """Construct a mapping whose keys are all different."""
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        mapping: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)  # type: ignore[arg-type]
        return mapping

    def construct_yaml_bool(self, node: yaml.ScalarNode) -> bool:
        """``true`` or ``false``."""
        return _plain(node, "bool").lower() == "true"

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """A whole number in decimal digits."""
        return int(_plain(node, "int"))

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """A number; ``.inf`` and ``.nan`` are left for the settings to refuse."""
        return float(_plain(node, "float").lower().replace(".inf", "inf").replace(".nan", "nan"))

    def construct_yaml_str(self, node: yaml.ScalarNode) -> str:
        """Text that can be written as UTF-8."""
        text = str(self.construct_scalar(node))
        if any("\ud800" <= character <= "\udfff" for character in text):
            raise _refused("it has half of a character (a surrogate, \\ud800 to \\udfff)", node)
        return text


for _name, (_pattern, _starts) in _WORDS.items():
    StrictLoader.add_implicit_resolver(_TAG + _name, _pattern, _starts)
StrictLoader.yaml_constructors = {
    None: StrictLoader.construct_undefined,
    **{
        _TAG + _name: getattr(StrictLoader, f"construct_yaml_{_name}")
        for _name in ("null", "bool", "int", "float", "str", "seq", "map")
    },
}


def read_yaml(text: str) -> Any:
    """Value of a YAML text.

    Raises:
        yaml.YAMLError: If it is not YAML, or is refused by the rules of this module.
    """
    loader = StrictLoader(text)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _refused(what: str, at: yaml.Node | yaml.Event) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=at.start_mark)  # type: ignore[arg-type]


def _plain(node: yaml.Node, kind: str) -> str:
    """Text of a number or switch; a tag such as ``!!int`` may only claim that it is one."""
    text = str(node.value) if isinstance(node, yaml.ScalarNode) else ""
    if len(text) > MAX_DIGITS:
        raise _refused(f"a number has {len(text)} characters, expected at most {MAX_DIGITS}", node)
    if not _WORDS[kind][0].match(text) and not (kind == "float" and _WORDS["int"][0].match(text)):
        raise _refused(f"{text!r} is not of the kind {kind} that its tag says", node)
    return text


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[tuple[str, str]] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("a key is a list or has keys itself, expected a word", key)
        name = (key.tag, key.value)
        if name in seen:
            raise _refused(f"the key {key.value[:60]!r} is given twice", key)
        seen.add(name)


def _written_out(node: yaml.Node, sizes: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """Number of nodes of a document with its aliases written out, and its depth.

    An alias comes after its anchor, or inside it: so everything is visited once, and the recursion
    is no deeper than the nesting of the text.
    """
    if id(node) in sizes:
        size, depth = sizes[id(node)]
        if not size:
            raise _refused("an alias stands inside what it stands for", node)
        return size, depth
    sizes[id(node)] = (0, 0)
    size, depth = 1, 1
    inner: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        inner = [item for pair in node.value for item in pair]
    elif isinstance(node, yaml.SequenceNode):
        inner = node.value
    for item in inner:
        more, below = _written_out(item, sizes)
        size, depth = size + more, max(depth, below + 1)
    if size > MAX_NODES or depth > MAX_DEPTH:
        raise _refused(f"its aliases stand for more than {MAX_NODES} values, or {MAX_DEPTH} levels", node)
    sizes[id(node)] = (size, depth)
    return size, depth
