"""Work folders that the tests of this folder share."""

import shutil

import pytest

from tests.support import outside_work


@pytest.fixture(scope="session")
def prepared(tmp_path_factory):
    """A prepared work folder of pictures, without runs."""
    return outside_work.pictures(tmp_path_factory.mktemp("pictures"))


@pytest.fixture
def pictures(prepared, tmp_path):
    """A copy of the work folder of pictures."""
    shutil.copytree(prepared.work, tmp_path / "work")
    return outside_work.Truth(work=tmp_path / "work", labels=prepared.labels)
