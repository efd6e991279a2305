"""No test draws anew each time: ``make test`` finds today what it found yesterday."""

import ast
import random
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import settings

TESTS = Path(__file__).parent
FILES = sorted(path for path in TESTS.rglob("*.py") if path != Path(__file__))

SEEDED = {"default_rng", "Random", "RandomState", "SeedSequence", "PCG64", "MT19937"}
"""Makers of generators, which take their seed as an argument."""
NEVER = {
    "SystemRandom",
    "urandom",
    "getrandom",
    "uuid1",
    "uuid4",
    "token_bytes",
    "token_hex",
    "token_urlsafe",
}
"""What has no seed."""
GLOBAL = {
    "random",
    "randint",
    "randrange",
    "choice",
    "choices",
    "shuffle",
    "sample",
    "uniform",
    "gauss",
    "getrandbits",
    "randbytes",
}
"""Functions of the module ``random`` whose generator begins anew in every process."""


def _dotted(function):
    """Name of what is called, as written; of a result's method the method alone."""
    names = []
    while isinstance(function, ast.Attribute):
        names.append(function.attr)
        function = function.value
    return ".".join(reversed([*names, *([function.id] if isinstance(function, ast.Name) else [""])]))


def faults_of(source):
    """Lines of a file at which something is drawn without a seed."""
    tree = ast.parse(source)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.name == "random"
    }
    assigned = {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "secrets":
            yield node.lineno, "secrets"
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func)
        last = name.rpartition(".")[2]
        given = [*node.args, *(word.value for word in node.keywords)]
        none = all(isinstance(one, ast.Constant) and one.value is None for one in given)
        of_module = re.fullmatch(r"(\w+)\.(\w+)", name)
        of_numpy = re.fullmatch(r"(?:np|numpy)\.random\.(\w+)", name)
        if (
            last in NEVER
            or (last in SEEDED and none)
            or (of_module and of_module[1] in imported - assigned and last in GLOBAL)
            or (of_numpy and last not in SEEDED | {"seed", "Generator"})
        ):
            yield node.lineno, name


def test_generators_of_tests_have_seeds():
    faults = {
        str(path.relative_to(TESTS)): list(faults_of(path.read_text(encoding="utf-8"))) for path in FILES
    }
    assert {name: lines for name, lines in faults.items() if lines} == {}


@pytest.mark.parametrize(
    "line",
    [
        "np.random.default_rng()",
        "np.random.default_rng(None)",
        "np.random.default_rng(seed=None)",
        "np.random.rand(3)",
        "np.random.uniform()",
        "random.randint(1, 3)",
        "random.Random()",
        "random.SystemRandom().random()",
        "os.urandom(4)",
        "uuid.uuid4()",
    ],
)
def test_unseeded_generators_are_found(line):
    assert list(faults_of(f"import os, random, uuid\nimport numpy as np\nx = {line}\n"))


@pytest.mark.parametrize(
    "line",
    [
        "np.random.default_rng(0)",
        "np.random.default_rng([seed, 1])",
        "random.Random(7).randint(1, 3)",
        "np.random.Generator(np.random.PCG64(3))",
        "np.random.RandomState(0).rand(3)",
    ],
)
def test_seeded_generators_are_taken(line):
    assert not list(faults_of(f"import random\nimport numpy as np\nx = {line}\n"))


def drawn():
    return random.random(), float(np.random.default_rng(0).random()), float(torch.rand(()))


@pytest.fixture(scope="module")
def in_a_fixture():
    return drawn()


@pytest.mark.parametrize("turn", range(2))
def test_global_generators_are_the_same_at_every_start(turn, in_a_fixture):
    assert drawn() == in_a_fixture


def test_examples_are_the_same_in_every_run(request):
    profile = request.config.getoption("--hypothesis-profile")
    if profile == "random":
        pytest.skip("'make test-random' draws new examples")
    assert settings.default.derandomize
    assert settings.default.deadline is None
