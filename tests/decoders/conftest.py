"""Clips with traps, each encoded once in a test session."""

from __future__ import annotations

import pytest

from tests.support.trap_clips import Clips


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Clips:
    return Clips(tmp_path_factory.mktemp("clips"))
