"""Nothing private of the standard library is used: it may be another thing in the next version."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "fgbench"
DOCUMENTED = {"os._exit", "kind._name_", "kind._value_", "Type._missing_"}
"""Public in spite of their underscore: of the module ``os``, and of members and classes of ``enum``."""


def own_names(tree):
    """Names with an underscore that a file defines itself: functions, classes, fields, attributes of self."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id
        elif isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self", "cls"):
            yield node.attr


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def private_uses(text):
    """Uses of what is private elsewhere, as they stand in a file."""
    tree = ast.parse(text)
    own = set(own_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr) and node.attr not in own:
            yield ast.unparse(node)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            module = getattr(node, "module", None)
            names = [f"{module}.{each.name}" if module else each.name for each in node.names]
            yield from (
                name
                for name in names
                if name.split(".")[0] in sys.stdlib_module_names and any(map(is_private, name.split(".")))
            )


@pytest.mark.slow
def test_no_file_uses_what_is_private_elsewhere():
    actual = {
        f"{path.relative_to(PACKAGE)}: {use}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for use in private_uses(path.read_text(encoding="utf-8"))
        if use not in DOCUMENTED
    }
    assert not actual


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pool = ProcessPoolExecutor()\nlist(pool._processes)", ["pool._processes"]),
        ("from multiprocessing.pool import _PoolCache", ["multiprocessing.pool._PoolCache"]),
        ("import _thread", ["_thread"]),
        ("class A:\n    def f(self):\n        self._x = 1\na._x\na.__class__", []),
    ],
)
def test_what_counts_as_private(text, expected):
    assert list(private_uses(text)) == expected
