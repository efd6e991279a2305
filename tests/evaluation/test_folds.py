"""Folds by person: never a person in two, the same on every machine, files that divide or are refused."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fgbench.errors import ConfigError, DatasetError
from fgbench.runs.context import RunContext
from fgbench.runs.division import Division
from fgbench.runs.folds import deal, fold_file_text, natural_key, read_fold_file
from fgbench.runs.roles import assign_roles
from fgbench.runs.samples import Sample

names = st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), min_size=1, max_size=6)
ids = st.one_of(st.from_regex(r"[SF]?[0-9]{1,4}", fullmatch=True), names)


def clip(number, subject):
    return Sample(
        sample_id=f"c{number}", clip_id=f"c{number}", subject_id=subject, label="anger", part="train"
    )


@pytest.mark.slow
@given(
    subjects=st.lists(ids, min_size=3, max_size=60),
    n_folds=st.integers(3, 12),
    order=st.randoms(use_true_random=False),
)
def test_no_person_is_in_two_folds_of_any_layout(subjects, n_folds, order):
    different = set(subjects)
    if len(different) < n_folds:
        with pytest.raises(DatasetError, match=f"{len(different)} groups for {n_folds} folds"):
            deal(subjects, n_folds)
        return
    fold_of = deal(subjects, n_folds)
    assert set(fold_of) == different
    sizes = [list(fold_of.values()).count(str(number)) for number in range(1, n_folds + 1)]
    assert sum(sizes) == len(different)
    assert max(sizes) - min(sizes) <= 1
    shuffled = list(subjects)
    order.shuffle(shuffled)
    assert deal(shuffled, n_folds) == fold_of
    clips = [clip(number, subject) for number, subject in enumerate(subjects)]
    division = Division(
        n_folds=n_folds, parts={}, fold_of={one.clip_id: fold_of[one.subject_id] for one in clips}
    )
    tested = []
    for fold in division.folds:
        parts = division.divide(clips, fold)
        roles = {
            role: {one.subject_id for one in parts if one.part == role} for role in ("train", "val", "test")
        }
        assert not roles["test"] & (roles["train"] | roles["val"])
        assert not roles["train"] & roles["val"]
        assert all(roles.values())
        assert len(parts) == len(clips)
        tested += [one.clip_id for one in parts if one.part == "test"]
    assert sorted(tested) == sorted(one.clip_id for one in clips)


def test_numbers_are_sorted_by_value():
    assert sorted(["S10", "S2", "S1a", "S01", "S1", "S", "R100", "R9", "7"], key=natural_key) == [
        "7", "R9", "R100", "S", "S01", "S1", "S1a", "S2", "S10",
    ]  # fmt: skip


def test_ids_are_dealt_in_turn():
    assert deal(["S10", "S2", "S1", "S3", "S9"], 3) == {
        "S1": "1",
        "S2": "2",
        "S3": "3",
        "S9": "1",
        "S10": "2",
    }


def test_folds_are_the_same_on_every_machine():
    """The "ascending order of ids in steps of ten" of the papers on CK+, for ids like theirs."""
    text = fold_file_text(deal([f"S{number:03d}" for number in range(5, 123)], 10), "subject_id")
    lines = [f"S{number:03d},{(number - 5) % 10 + 1}\n" for number in range(5, 123)]
    assert text == "subject_id,fold\n" + "".join(lines)


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(subjects=st.lists(ids.map(str.strip).filter(bool), min_size=3, max_size=20, unique=True))
def test_a_fold_file_is_read_as_it_was_written(tmp_path_factory, subjects):
    path = tmp_path_factory.mktemp("folds") / "folds.csv"
    fold_of = deal(subjects, 3)
    path.write_text(fold_file_text(fold_of, "subject_id"))
    clips = [clip(number, subject) for number, subject in enumerate(subjects * 2)]
    assert read_fold_file(path, clips, group_by="subject_id", n_folds=3) == fold_of


CLIPS = [clip(number, f"s{number // 2}") for number in range(6)]
GOOD = "subject_id,fold\ns0,1\ns1,2\ns2,3\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "subject_id,fold\ns0,1\ns1,2\ns2,3\ns0,2\n",
            "puts subject_id 's0' into folds 1 and 2, expected one",
        ),
        (GOOD + "s9,1\n", "has 1 unknown ids of column subject_id: s9"),
        (GOOD.replace("s1,2\n", ""), "has 1 missing ids of column subject_id: s1"),
        (GOOD.replace("s1,2", "s1,4"), "line 3: 's1,4', expected an id and a fold from 1 to 3"),
        (GOOD.replace("s1,2", "s1"), "line 3: 's1', expected an id and a fold"),
        (GOOD.replace("s2,3", "s2,1"), "no subject_id in fold 3, expected 3 folds"),
        (GOOD.replace("subject_id", "person"), "begins with 'person,fold', expected 'subject_id' and 'fold'"),
        ("", "begins with '', expected 'subject_id' and 'fold'"),
    ],
)
def test_a_file_that_does_not_divide_is_refused(tmp_path, text, message):
    path = tmp_path / "folds.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_fold_file(path, CLIPS, group_by="subject_id", n_folds=3)


def test_ids_that_look_like_formulas_are_harmless_and_read_as_they_were(tmp_path):
    subjects = ["=1+1|cmd", "'=x", "@a", "-0.5", "+", "'quoted", "\tx"]
    fold_of = {subject: str(1 + number % 3) for number, subject in enumerate(subjects)}
    (tmp_path / "f.csv").write_text(fold_file_text(fold_of, "subject_id"))
    lines = (tmp_path / "f.csv").read_text().splitlines()
    assert not [line for line in lines if line.startswith(("=", "@", "+"))]
    clips = [clip(number, subject) for number, subject in enumerate(subjects)]
    assert read_fold_file(tmp_path / "f.csv", clips, group_by="subject_id", n_folds=3) == fold_of


def test_a_file_of_clips_may_not_divide_a_person(tmp_path):
    path = tmp_path / "folds.csv"
    lines = [f"{one.clip_id},{1 + number // 2}" for number, one in enumerate(CLIPS)]
    path.write_text("\n".join(["clip_id,fold", *lines]))
    fold_file = read_fold_file(path, CLIPS, group_by="subject_id", n_folds=3)
    assert fold_file == {"s0": "1", "s1": "2", "s2": "3"}
    path.write_text("\n".join(["clip_id,fold", *lines[:-1], "c5,1"]))
    with pytest.raises(ConfigError, match="puts subject_id 's2' into folds 3 and 1"):
        read_fold_file(path, CLIPS, group_by="subject_id", n_folds=3)
    assert read_fold_file(path, CLIPS, group_by="clip_id", n_folds=3)["c5"] == "1"


def test_a_file_that_is_not_there_or_binary_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot read the fold file"):
        read_fold_file(tmp_path / "none.csv", CLIPS, group_by="subject_id", n_folds=3)
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="cannot read the fold file"):
        read_fold_file(tmp_path / "binary.csv", CLIPS, group_by="subject_id", n_folds=3)


def test_a_pipe_in_the_place_of_a_fold_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "folds.csv")
    with pytest.raises(ConfigError, match=r"cannot read the fold file: .*folds\.csv is a pipe"):
        read_fold_file(tmp_path / "folds.csv", [], group_by="subject_id", n_folds=3)
    with pytest.raises(ConfigError, match="/dev/zero is a device"):
        read_fold_file(Path("/dev/zero"), [], group_by="subject_id", n_folds=3)


def test_two_folds_are_too_few():
    with pytest.raises(ConfigError, match="a protocol of 2 folds, expected at least 3"):
        deal(["a", "b", "c"], 2)


def test_copies_are_with_their_clip_and_never_scored():
    copies = [
        Sample(sample_id=f"{one.sample_id}#1", clip_id=one.clip_id, subject_id=one.subject_id,
               label="anger", part="train", is_copy=True)
        for one in CLIPS
    ]  # fmt: skip
    division = Division(
        n_folds=3, parts={}, fold_of={one.clip_id: str(1 + n // 2) for n, one in enumerate(CLIPS)}
    )
    context = RunContext(
        workdir=None, manifest_digest="", details={}, seed=0, resume=True, force=False, jobs=1,
        progress=lambda *reported: None, division=division, fold="3",
    )  # fmt: skip
    roles = assign_roles(context.divide([*CLIPS, *copies]), protocol_name="images", fold="3")
    assert {one.clip_id for one in roles.test} == {"c4", "c5"}
    assert {one.clip_id for one in roles.selection} == {"c0", "c1"}, "after the last fold comes the first"
    assert sorted(one.sample_id for one in roles.train) == ["c2", "c2#1", "c3", "c3#1"]
    assert not any(one.is_copy for one in [*roles.test, *roles.selection])
