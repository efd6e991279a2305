"""Data and a storage for tests of storages."""

import pytest

from fgbench.preparation import prepare
from tests.support.clip_folders import write_folder
from tests.support.remote_work import RECIPE, Machine, quick_repeats, tables
from tests.support.s3_server import Bucket, s3_server


@pytest.fixture(scope="module")
def address():
    """Address of a server that speaks S3."""
    with s3_server() as where:
        yield where


@pytest.fixture
def bucket(address):
    """A bucket of its own."""
    return Bucket(address)


@pytest.fixture
def quick(monkeypatch):
    """Requests that fail are repeated at once."""
    with quick_repeats(monkeypatch):
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data set of four clips in a folder."""
    return write_folder(tmp_path_factory.mktemp("here") / "clips", 4)


@pytest.fixture(scope="module")
def expected(data, tmp_path_factory):
    """Tables of the same data in folders."""
    work = tmp_path_factory.mktemp("expected") / "work"
    prepare.run(RECIPE, data, work)
    return tables(work)


@pytest.fixture
def machines(bucket, data, tmp_path):
    """Two machines on one bucket with the data."""
    bucket.upload(data, "clips")
    return [Machine(tmp_path / name, bucket) for name in ("one", "two")]
