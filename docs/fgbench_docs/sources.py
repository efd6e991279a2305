"""The package's sources as syntax trees, and the sentences that they hold."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import fgbench

PACKAGE = Path(fgbench.__file__).parent


@cache
def trees() -> dict[str, ast.Module]:
    """Module name to syntax tree of every source file of fgbench, by name."""
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts): ast.parse(
            path.read_text(encoding="utf-8")
        )
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def calls(*names: str) -> Iterator[tuple[str, ast.Call]]:
    """Calls of functions or classes of some names: module and call, in order.

    Args:
        names: Last part of the name that is called.
    """
    for module, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) in names:
                yield module, node


@cache
def constants(module: str) -> dict[str, str]:
    """Texts that a module binds to names at its top level, or imports from another one of fgbench."""
    found: dict[str, str] = {}
    for node in trees()[module].body:
        if isinstance(node, ast.ImportFrom) and node.module in trees():
            theirs = constants(node.module)
            found |= {one.asname or one.name: theirs[one.name] for one in node.names if one.name in theirs}
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if isinstance(node.value.value, str):
                found |= {one.id: node.value.value for one in targets if isinstance(one, ast.Name)}
    return found


def sentence(node: ast.expr | None, module: str) -> str:
    """A message as its source has it: what is put in stands as its name in angle brackets.

    Args:
        node: An expression that gives a text; ``None`` for none.
        module: Its module, whose constants are read.
    """
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            f"<{_hole(part.value)}>" if isinstance(part, ast.FormattedValue) else sentence(part, module)
            for part in node.values
        )
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return sentence(node.left, module) + sentence(node.right, module)
    if isinstance(node, ast.IfExp):
        texts = [sentence(one, module) for one in (node.body, node.orelse)]
        return " / ".join(text for text in texts if text)
    if isinstance(node, ast.Name):
        if node.id in constants(module):
            return constants(module)[node.id]
        if (value := _assigned(node, module)) is not None:
            return sentence(value, module)
    return f"<{_hole(node)}>"


def argument(call: ast.Call, place: int, name: str) -> ast.expr | None:
    """An argument of a call, given by place or by name; ``None`` if it is not given."""
    if len(call.args) > place:
        return call.args[place]
    return next((one.value for one in call.keywords if one.arg == name), None)


def _assigned(name: ast.Name, module: str) -> ast.expr | None:
    """What the function around a name bound to it last; ``None`` if nothing, or nothing that is a text."""
    around = [
        node
        for node in ast.walk(trees()[module])
        if isinstance(node, ast.FunctionDef)
        and node.lineno <= name.lineno <= (node.end_lineno or node.lineno)
    ]
    if not around:
        return None
    innermost = max(around, key=lambda node: node.lineno)
    values = [
        node.value
        for node in ast.walk(innermost)
        if isinstance(node, ast.Assign)
        and node.lineno < name.lineno
        and any(isinstance(target, ast.Name) and target.id == name.id for target in node.targets)
    ]
    if not values:
        return None
    last = max(values, key=lambda value: value.lineno)
    return last if isinstance(last, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp) else None


def _called(call: ast.Call) -> str:
    function = call.func
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _hole(node: ast.expr) -> str:
    """A short name of what is put into a message: the last name in it, or ``…`` without one."""
    names = [
        one.attr if isinstance(one, ast.Attribute) else one.id
        for one in ast.walk(node)
        if isinstance(one, ast.Attribute | ast.Name)
    ]
    if isinstance(node, ast.Call) and len(names) > 1:
        names = [name for name in names if name != _called(node)] or names
    return names[0].strip("_").replace("_", " ").lower() if names else "…"
