"""Changes of source files that are to be noticed."""

import os

import pytest

from fgbench.catalogue.stamps import Stamps
from tests.support.fake_trees import write_pictures, write_text


def test_two_pictures_exchanged_by_renaming_are_a_change(tmp_path):
    write_pictures(tmp_path / "seq", ["1.png", "2.png"])
    first = Stamps(tmp_path).of("seq")
    assert Stamps(tmp_path).of("seq") == first
    (tmp_path / "seq" / "1.png").rename(tmp_path / "seq" / "3.png")
    (tmp_path / "seq" / "2.png").rename(tmp_path / "seq" / "1.png")
    (tmp_path / "seq" / "3.png").rename(tmp_path / "seq" / "2.png")
    assert Stamps(tmp_path).of("seq") != first


def test_a_broken_link_hides_no_change_beside_it_and_is_seen_when_it_is_mended(tmp_path):
    write_pictures(tmp_path / "seq", ["1.png"])
    (tmp_path / "seq" / "2.png").symlink_to(tmp_path / "other.png")
    broken = Stamps(tmp_path).of("seq")
    os.utime(tmp_path / "seq" / "1.png", ns=(1, 1))
    touched = Stamps(tmp_path).of("seq")
    write_text(tmp_path / "other.png", "x")
    assert len({broken, touched, Stamps(tmp_path).of("seq")}) == 3


def test_what_is_absent_a_broken_link_and_a_file_are_told_apart(tmp_path):
    absent = Stamps(tmp_path).of("a.mp4")
    (tmp_path / "a.mp4").symlink_to("b.mp4")
    broken = Stamps(tmp_path).of("a.mp4")
    (tmp_path / "b.mp4").symlink_to("c.mp4")
    write_text(tmp_path / "c.mp4", "x")
    assert len({absent, broken, Stamps(tmp_path).of("a.mp4")}) == 3


@pytest.mark.parametrize("path", ["x" * 5000, "a\0b"])
def test_names_that_cannot_be_have_a_stamp(tmp_path, path):
    assert Stamps(tmp_path).of(path) == Stamps(tmp_path).of(path)
