"""Digest of the code that a function is made of: its own, and that of its module that it calls."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

from fgbench.files.hashing import digest_json


def code_digest(*functions: Any) -> str:
    """Return a digest that is another one when the text of the functions is, or that of functions and classes
    of their module that they name.

    Args:
        functions: Functions or classes; ``None`` is left out.
    """
    texts: dict[str, str] = {}
    for one in functions:
        if one is not None:
            _collect(one, texts)
    return digest_json(sorted(texts.items()))


def _collect(one: Any, texts: dict[str, str]) -> None:
    name = getattr(one, "__qualname__", type(one).__qualname__)
    if name in texts:
        return
    texts[name] = _text(one)
    module = getattr(one, "__module__", None)
    for function in _functions(one):
        for named in _named(function.__code__):
            other = function.__globals__.get(named)
            is_code = inspect.isfunction(other) or inspect.isclass(other)
            if is_code and getattr(other, "__module__", None) == module:
                _collect(other, texts)


def _text(one: Any) -> str:
    """Return the text of a function or class; of code without a file what it was compiled to."""
    try:
        return inspect.getsource(one)
    except (OSError, TypeError):
        return repr([_compiled(function.__code__) for function in _functions(one)])


def _compiled(code: CodeType) -> list[Any]:
    constants = [_compiled(one) if isinstance(one, CodeType) else repr(one) for one in code.co_consts]
    return [code.co_code, code.co_names, code.co_varnames, constants]


def _functions(one: Any) -> Iterator[Any]:
    if inspect.isfunction(one):
        yield one
    elif inspect.isclass(one):
        yield from (member for member in vars(one).values() if inspect.isfunction(member))


def _named(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner)
