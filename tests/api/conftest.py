"""A small data set, prepared once."""

import pytest

import fgbench
from tests.support.drawn_clips import write_drawn_clips


@pytest.fixture(scope="session")
def work(tmp_path_factory):
    """A prepared set of three classes and eight people, drawn, as somebody would bring it."""
    folder = tmp_path_factory.mktemp("api")
    root = write_drawn_clips(folder / "drawn")
    workdir = folder / "fgbench-data" / "drawn" / "work"  # as by default in the folder
    return fgbench.prepare(root, workdir=workdir, jobs=2, progress=False)
