"""A small recipe for data and work folders in a storage, and what tests compare of what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fgbench.config import PrepareConfig, load_prepare
from fgbench.preparation import prepare
from fgbench.preparation.report import RunReport
from fgbench.remote import filesystems
from fgbench.remote.copy_folders import work_copy
from fgbench.remote.mirrors import mirrored
from fgbench.remote.work_copies import WorkCopy
from tests.support.clip_folders import contents
from tests.support.s3_server import Bucket


def _recipe() -> PrepareConfig:
    config = load_prepare("default")
    return config.model_copy(
        update={
            "faces": config.faces.model_copy(update={"align": "never"}),
            "lbp": config.lbp.model_copy(update={"enabled": False}),
            "buckets": 2,
        }
    )


RECIPE = _recipe()


def tables(work: Path) -> dict[str, bytes]:
    """All of the manifests but their index, which names results by the times of files, as of any copy."""
    return {name: data for name, data in contents(work / "manifests").items() if name != "index.json"}


@contextmanager
def quick_repeats(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Repeat at once what fails; the clients repeat nothing by themselves."""
    import s3fs

    monkeypatch.setattr(filesystems, "WAITS_S", (0.0,) * 4)
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    yield
    s3fs.S3FileSystem.clear_instance_cache()


def at(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak to another address from now on; file systems that were opened before know the old one."""
    import s3fs

    monkeypatch.setenv("AWS_ENDPOINT_URL", address)
    s3fs.S3FileSystem.clear_instance_cache()


class Machine:
    """A machine with mirrors and copies of its own, which prepares data of a bucket into the same bucket.

    Attributes:
        folder: Folder of its mirrors and copies.
        data: URL of the data set.
        work: URL of the work folder.
    """

    def __init__(self, folder: Path, bucket: Bucket) -> None:
        self.folder = folder
        self.data = f"s3://{bucket.name}/clips"
        self.work = f"s3://{bucket.name}/made/work"

    @property
    def copy(self) -> WorkCopy:
        """Its copy of the work folder."""
        return work_copy(self.work, self.folder / "copies")

    def prepare(self, **options: Any) -> RunReport:
        """Prepare the data as they are listed now."""
        root = mirrored(self.data, self.folder / "remote")
        return prepare.run(RECIPE, root, self.copy.workdir, **options)


def made(bucket: Bucket) -> dict[str, bytes]:
    """Tables of the manifests that machines have made in a bucket."""
    begin = "made/work/manifests/"
    found = {name.removeprefix(begin): data for name, data in bucket.objects(begin).items()}
    return {name: data for name, data in found.items() if name != "index.json"}
