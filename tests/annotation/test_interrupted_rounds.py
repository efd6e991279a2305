"""Ctrl-C before or after a file of an export or an import appears: done again, it ends as undisturbed."""

import itertools
import os
import shutil

import pytest

import fgbench
from tests.support.annotated_rounds import annotation, exported, votes, write_clips, write_export

pytestmark = pytest.mark.slow

MOST = 20
ACCOUNTS = {"1": "anna", "2": "ben"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    return write_clips(tmp_path_factory.mktemp("rounds") / "clips", ["a", "b"])


@pytest.fixture(scope="module")
def dealt(fresh):
    """A round with an export of the tool: three answers, one of them no vote."""
    root = fresh.parent / "dealt"
    shutil.copytree(fresh, root)
    exported(root)
    given = {"a": [annotation(1), annotation(2, "nothing")], "b": [annotation(1)]}
    write_export(root / "export.json", root / "annotation" / "round-1", given)
    return root


def interrupted(monkeypatch, work, number, *, after):
    """Do some work with an interruption at a renaming; return whether it came so far."""
    replace, counter = os.replace, itertools.count(1)

    def stop(*paths, **more):
        is_it = next(counter) == number
        if not is_it or after:
            replace(*paths, **more)
        if is_it:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", stop)
        try:
            work()
        except KeyboardInterrupt:
            return True
    return False


def names(root):
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def each(tmp_path, monkeypatch, start, work):
    """Folders in which some work was interrupted, before and after each renaming, and done again."""
    folders = []
    for number in range(1, MOST):
        for after in (False, True):
            root = tmp_path / f"{number}-{after}"
            shutil.copytree(start, root)
            if not interrupted(monkeypatch, lambda root=root: work(root), number, after=after):
                assert number > 2
                return folders
            assert not [name for name in names(root) if ".fgbench-" in name]
            work(root)
            folders.append(root)
    raise AssertionError(f"more than {MOST} files")


def test_an_interrupted_import_loses_and_doubles_nothing(tmp_path, monkeypatch, dealt):
    def work(root):
        fgbench.import_votes(root / "export.json", root, annotators=ACCOUNTS)

    for root in each(tmp_path, monkeypatch, dealt, work):
        assert [line.split(",")[:3] for line in votes(root)] == [
            ["a.mp4", "anna", "anger"],
            ["b.mp4", "anna", "anger"],
        ]
        assert {"annotation/round-1/rejects.csv", "annotation/round-1/imported.json"} < {*names(root)}


def test_an_interrupted_export_is_ended_by_the_next(tmp_path, monkeypatch, fresh):
    def work(root):
        exported(root, hide_names=True)

    shutil.copytree(fresh, tmp_path / "whole")
    work(tmp_path / "whole")
    expected = names(tmp_path / "whole")
    for root in each(tmp_path, monkeypatch, fresh, work):
        assert names(root) == expected
        assert not exported(root, hide_names=True).is_new
