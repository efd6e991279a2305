"""A small recipe for data and work folders in a storage, and what tests compare of what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fgbench.config import PrepareConfig, load_prepare
from fgbench.remote import filesystems
from tests.support.clip_folders import contents


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
