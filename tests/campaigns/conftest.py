"""Fixtures of the campaigns."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.campaigns.commands import Commands


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Runs commands, without their start-up time."""
    started = Commands(tmp_path_factory.mktemp("commands"))
    yield started
    started.close()
