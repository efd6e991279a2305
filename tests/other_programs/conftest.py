"""Work folders that the tests of this folder share."""

import shutil

import pytest

from tests.support import outside_work


@pytest.fixture(scope="session")
def prepared_videos(tmp_path_factory):
    return outside_work.videos(tmp_path_factory.mktemp("videos"))


@pytest.fixture(scope="session")
def prepared_pictures(tmp_path_factory):
    return outside_work.pictures(tmp_path_factory.mktemp("pictures"))


def _copy(truth, folder):
    shutil.copytree(truth.work, folder / "work")
    return outside_work.Truth(work=folder / "work", labels=truth.labels)


@pytest.fixture
def videos(prepared_videos, tmp_path):
    """A work folder of videos, without runs."""
    return _copy(prepared_videos, tmp_path)


@pytest.fixture
def pictures(prepared_pictures, tmp_path):
    """A work folder of pictures, without runs."""
    return _copy(prepared_pictures, tmp_path)
