"""The protocol that an index tells of: parts, the official validation part as test, folds and their files."""

import pytest

from fgbench import storage
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.runs.division import Division
from fgbench.runs.division_reading import read_division
from fgbench.runs.roles import assign_roles
from fgbench.runs.samples import clip_samples
from tests.support.divided_work import EKMAN7, FIVE_FOLD, described, ekman_index, write_work


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    return write_work(tmp_path_factory.mktemp("folded"), described(), **ekman_index())


def index_of(work):
    return storage.read_json(work / "manifests" / "index.json")


def parts_of(division, work, fold="0"):
    return {one.clip_id: one.part for one in division.divide(clip_samples(work / "manifests"), fold)}


def test_without_a_protocol_the_parts_are_as_they_are(tmp_path):
    clips = [(f"{part}{n}", None, "anger", part) for n, part in enumerate(("train", "val", "test"))]
    work = write_work(tmp_path, clips)
    division = read_division(work, index_of(work))
    assert division == Division()
    samples = clip_samples(work / "manifests")
    assert division.divide(samples, "0") == samples
    assert division.digest is None
    assert division.to_json()["select_on"] == "part"
    assert not (work / "folds").exists()


def test_folds_are_written_once_and_read_back(folded):
    division = read_division(folded, index_of(folded))
    assert division.folds == ("1", "2", "3", "4", "5")
    assert division.to_json()["label"] == "5-fold by subject"
    path = folded / "folds" / "5-fold-by-subject.csv"
    assert path.read_text().splitlines()[:3] == ["subject_id,fold", "s1,1", "s2,2"]
    assert path.read_text().splitlines()[-1] == "s10,5"
    before = path.stat().st_mtime_ns
    assert read_division(folded, index_of(folded)) == division
    assert path.stat().st_mtime_ns == before
    parts = parts_of(division, folded, "5")
    assert {clip for clip, part in parts.items() if part == "test"} == {
        f"s{n}-{label}" for n in (5, 10) for label in EKMAN7
    }
    assert {clip.split("-")[0] for clip, part in parts.items() if part == "val"} == {"s1", "s6"}


def test_a_file_of_the_users_is_kept_and_no_other_taken_after_it(tmp_path):
    work = write_work(tmp_path / "w", described(), **ekman_index())
    mine = tmp_path / "mine.csv"
    lines = [f"s{n},{1 + (n - 1) // 2}" for n in range(1, 11)]
    mine.write_text("\n".join(["subject_id,fold", *lines]))
    division = read_division(work, index_of(work), fold_file=mine)
    assert division.fold_of["s2-anger"] == "1"
    assert read_division(work, index_of(work)) == division
    assert read_division(work, index_of(work), fold_file=mine) == division
    mine.write_text("\n".join(["subject_id,fold", *lines[::-1]]))
    assert read_division(work, index_of(work), fold_file=mine) == division, "the order of lines means nothing"
    mine.write_text("\n".join(["subject_id,fold", *lines]).replace("s1,1", "s1,2"))
    with pytest.raises(ConfigError, match="divides otherwise than") as error:
        read_division(work, index_of(work), fold_file=mine)
    assert "delete" in error.value.hint


def test_a_kept_file_that_lacks_new_persons_is_refused(tmp_path):
    work = write_work(tmp_path / "w", described(subjects=9), **ekman_index())
    read_division(work, index_of(work))
    write_work(tmp_path / "w", described(subjects=10), **ekman_index())
    with pytest.raises(ConfigError, match="has 1 missing ids of column subject_id: s10"):
        read_division(work, index_of(work))


def test_a_published_split_is_found_in_the_manifests(tmp_path):
    protocol = FIVE_FOLD | {"fold_file": "published.csv", "group_by": "clip_id"}
    work = write_work(tmp_path / "w", described(), **ekman_index(protocol=protocol))
    with pytest.raises(ManifestError, match=r"fold file published\.csv of the protocol is neither in"):
        read_division(work, index_of(work))
    lines = [f"{clip},{1 + n % 5}" for n, (clip, *_) in enumerate(described())]
    (work / "manifests" / "published.csv").write_text("\n".join(["clip_id,fold", *lines]))
    division = read_division(work, index_of(work))
    assert division.name == "5-fold-by-clip"
    assert [division.fold_of[clip] for clip, *_ in described()[:6]] == ["1", "2", "3", "4", "5", "1"]
    outside = FIVE_FOLD | {"fold_file": "../published.csv"}
    with pytest.raises(ManifestError, match="expected a name without folders"):
        read_division(tmp_path / "w", {**index_of(work), "protocol": outside}, fold_file=None)


def test_a_tenth_of_the_groups_outside_a_fold_chooses(tmp_path, folded):
    protocol = FIVE_FOLD | {"fold_selection": "held-out"}
    work = write_work(tmp_path, described(subjects=30), **ekman_index(protocol=protocol))
    division = read_division(work, index_of(work))
    assert division.to_json()["select_on"] == "held-out"
    seen = set()
    for fold in division.folds:
        parts = parts_of(division, work, fold)
        persons = {
            role: {clip.split("-")[0] for clip, part in parts.items() if part == role}
            for role in ("train", "val", "test")
        }
        assert sum(map(len, persons.values())) == len(set.union(*persons.values())) == 30
        assert persons["test"] == {f"s{n}" for n in range(1, 31) if n % 5 == int(fold) % 5}
        rest = [n for n in range(1, 31) if n % 5 != int(fold) % 5]
        assert persons["val"] == {f"s{n}" for n in rest[::10]}
        seen |= persons["test"]
    assert len(seen) == 30
    usual = read_division(folded, index_of(folded))
    held = read_division(folded, {**index_of(folded), "protocol": protocol})
    assert usual.to_json()["select_on"] == "fold"
    assert held.fold_of == usual.fold_of
    assert held.digest != usual.digest, "runs of the one are none of the other"


VAL_TEST = {"kind": "parts", "train": ["train"], "selection": [], "test": ["val"], "group_by": "source_id"}


def official(tmp_path, protocol, *, source=True):
    """Five films to train on with seven clips each, two to test, and clips of a part without a role."""
    clips = [
        (f"f{film}-{label}", None, label, "train" if film < 5 else "val" if film < 7 else "test")
        for film in range(8)
        for label in EKMAN7
    ]
    films = {clip: clip.split("-")[0] for clip, *_ in clips} if source else None
    return write_work(tmp_path, clips, source=films, dataset="sfew", **ekman_index(protocol=protocol))


def test_the_official_validation_part_is_tested_and_part_of_train_selects(tmp_path):
    work = official(tmp_path, VAL_TEST)
    division = read_division(work, index_of(work))
    assert division.label == "tested on the official validation set"
    assert division.to_json()["select_on"] == "held-out"
    parts = parts_of(division, work)
    films = {
        role: {clip.split("-")[0] for clip, part in parts.items() if part == role}
        for role in ("train", "val", "test")
    }
    assert films == {"train": {"f1", "f2", "f3", "f4"}, "val": {"f0"}, "test": {"f5", "f6"}}
    assert division.digest is not None
    roles = assign_roles(division.divide(clip_samples(work / "manifests"), "0"), protocol_name="clips")
    assert (len(roles.train), len(roles.selection), len(roles.test)) == (28, 7, 14)
    own = read_division(work, {**index_of(work), "protocol": VAL_TEST | {"label": "official val as test"}})
    assert own.label == "official val as test"


def test_other_parts_are_another_division(tmp_path):
    work = official(tmp_path, {})
    parts = {"kind": "parts", "train": ["train"], "selection": ["val"], "test": ["test"]}
    details = {**index_of(work), "protocol": parts}
    assert read_division(work, details).digest is None
    swapped = parts | {"selection": ["test"], "test": ["val"]}
    other = read_division(work, {**details, "protocol": swapped})
    assert other.digest is not None
    assert {clip[:2] for clip, part in parts_of(other, work).items() if part == "test"} == {"f5", "f6"}


@pytest.mark.parametrize("role", ["train", "selection"])
def test_what_is_tested_is_not_selected_on(tmp_path, role):
    work = official(tmp_path, {**VAL_TEST, role: ["val"]})
    with pytest.raises(ConfigError, match=f"part 'val' is both {role} and test"):
        read_division(work, index_of(work))


def test_a_group_that_is_not_known_is_an_error(tmp_path):
    work = official(tmp_path, VAL_TEST, source=False)
    with pytest.raises(DatasetError, match="the source_id of clip 'f0-anger' is not known"):
        read_division(work, index_of(work))
    clips = official(tmp_path / "folds", FIVE_FOLD)
    with pytest.raises(DatasetError, match="the subject_id of clip 'f0-anger' is not known"):
        read_division(clips, index_of(clips))


@pytest.mark.parametrize(
    ("protocol", "error", "message"),
    [
        ({"kind": "leave-one-out"}, ManifestError, "protocol of kind 'leave-one-out'"),
        ({"kind": "k-fold", "group_by": "label"}, ManifestError, "by 'label', expected parts or k-fold"),
        ({"kind": "k-fold", "group_by": "subject_id", "folds": 2}, ConfigError, "a protocol of 2 folds"),
        ({"kind": "k-fold", "group_by": "subject_id", "folds": 11}, DatasetError, "10 groups for 11 folds"),
    ],
)
def test_protocols_that_cannot_be_are_refused(tmp_path, folded, protocol, error, message):
    with pytest.raises(error, match=message):
        read_division(folded, {**index_of(folded), "protocol": protocol})


def test_a_fold_that_there_is_not_names_those_there_are(folded):
    division = read_division(folded, index_of(folded))
    with pytest.raises(ConfigError, match=r"no fold '6' in protocol 5-fold-by-subject, expected one of 1, 2"):
        division.divide([], "6")
    with pytest.raises(ConfigError, match="for a data set that is divided into parts"):
        read_division(folded, {"dataset": "x"}, fold_file=folded / "folds" / "5-fold-by-subject.csv")
