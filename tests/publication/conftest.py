"""Data sets that the tests of publications share; none of them changes a file of these."""

import pytest

from tests.support.plain_data import prepared, published, write_plain_data


@pytest.fixture(scope="session")
def plain(tmp_path_factory):
    """A folder with ``clips``, prepared in ``work`` and published in ``out``."""
    here = tmp_path_factory.mktemp("plain")
    write_plain_data(here / "clips")
    prepared(here / "clips", here / "work")
    published(here / "work", here / "out")
    return here
