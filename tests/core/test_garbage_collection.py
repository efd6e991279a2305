"""Pauses of the collector of cycles."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

import fgbench
from fgbench.garbage_collection import collector_paused
from tests.support.many_votes import write_round


def test_the_collector_is_off_within_and_as_before_after() -> None:
    assert gc.isenabled()
    with collector_paused():
        assert not gc.isenabled()
        with collector_paused():
            assert not gc.isenabled()
        assert not gc.isenabled()  # the outer context still holds
    assert gc.isenabled()


def test_an_error_ends_the_pause() -> None:
    with pytest.raises(KeyError), collector_paused():
        raise KeyError
    assert gc.isenabled()


def test_imports_make_no_collections_and_leave_the_collector_on(tmp_path: Path) -> None:
    root = write_round(tmp_path / "many", 400)
    gc.collect()
    before = [one["collections"] for one in gc.get_stats()]
    added = fgbench.import_votes(tmp_path / "many" / "answers.csv", root).n_added
    made = sum(one["collections"] for one in gc.get_stats()) - sum(before)
    assert added == 2000
    assert made < added / 100  # 700 objects begin one; each vote is several
    assert gc.isenabled()
