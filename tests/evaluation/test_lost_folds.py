"""Clips that could not be read, where folds divide: each is tested in one fold and counts as wrong."""

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.errors import ConfigError
from fgbench.files.hashing import hash_u64
from fgbench.reports.run.fold_scores import fold_tables, folds_json
from fgbench.runs.context import RunContext
from fgbench.runs.coverage import coverage, missing_reasons
from fgbench.runs.division_reading import read_division
from fgbench.runs.labels import LabelSet
from fgbench.runs.lost_clips import lost_samples
from fgbench.runs.results import read_result, write_run
from fgbench.runs.roles import predictions_of
from fgbench.runs.samples import clip_samples, image_samples, moving_samples
from tests.support.divided_work import EKMAN7, FIVE_FOLD, described, ekman_index, write_work

LOST = [
    ("s2-broken", "ingest", "truncated", "fear", "s2"),
    ("s2-gone", "ingest", "missing_file", "fear", "s2"),
    ("s8-no-frame", "sample", "no_frames_sampled", "anger", "s8"),
    ("new-one", "ingest", "truncated", "anger", "s99"),
    ("new-other", "ingest", "empty_file", "sadness", "s99"),
    ("nobodys", "ingest", "truncated", "anger", None),
]
NO_SAMPLES = [
    ("unsettled", "consensus", "dropped", "anger", "s1"),
    ("leaked", "audit", "subject", "anger", "s1"),
    ("unlabelled", "ingest", "truncated", None, "s1"),
    ("of-other-classes", "ingest", "truncated", "contempt", "s1"),
    ("contradicted", "ingest", "two_folds", "anger", "s1"),
]


def write_rejects(work, rows):
    """Rejects without a part, as data sets without parts have them."""
    names = ("id", "stage", "reason", "label", "subject_id")
    table = [dict(zip(names, row, strict=True)) for row in rows]
    schema = records.schema("published_rejects")
    storage.write_table(work / "manifests" / "rejects.parquet", pa.Table.from_pylist(table, schema=schema))
    return work


def make(folder, rows=(*LOST, *NO_SAMPLES), **changes):
    return write_rejects(write_work(folder, described(), **ekman_index(**changes)), rows)


@pytest.fixture
def work(tmp_path):
    return make(tmp_path / "work")


def division_of(work, fold_file=None):
    index = storage.read_json(work / "manifests" / "index.json")
    return read_division(work, index, fold_file=fold_file)


def context_of(work, **changes):
    division = division_of(work)
    return RunContext(
        workdir=work,
        manifest_digest="m",
        details={"dataset": "ck-plus", "synthetic": True, "protocol": division.to_json()},
        seed=0,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
        labels=LabelSet(name="ekman7", labels=EKMAN7),
        division=division,
        **changes,
    )


def hashed(*name):
    return str(1 + hash_u64("lost", *name) % 5)


def lost_by_fold(work, read=clip_samples):
    """Fold to the lost clips that it tests."""
    actual = {}
    for context in context_of(work, fold="1").each_fold():
        roles = context.roles(read(context.manifests), protocol_name="test")
        predicted = {sample.sample_id for sample in roles.predicted}
        actual[context.fold] = {one.clip_id for one in roles.test if one.sample_id not in predicted}
        training = {sample.clip_id for sample in (*roles.train, *roles.selection)}
        assert not training & {name for name, *_ in (*LOST, *NO_SAMPLES)}
    return actual


@pytest.mark.parametrize("read", [clip_samples, image_samples])
def test_each_lost_clip_is_tested_once_where_its_person_is(work, read):
    by_fold = lost_by_fold(work, read)
    assert sorted(name for names in by_fold.values() for name in names) == sorted(name for name, *_ in LOST)
    assert {"s2-broken", "s2-gone"} <= by_fold["2"]
    assert "s8-no-frame" in by_fold["3"]
    assert {"new-one", "new-other"} <= by_fold[hashed("subject_id", "s99")]
    assert "nobodys" in by_fold[hashed("clip_id", "nobodys")]
    assert lost_by_fold(work, read) == by_fold


def test_usable_clips_stay_in_their_folds(tmp_path, work):
    plain = make(tmp_path / "plain", rows=NO_SAMPLES)
    without, with_lost = division_of(plain), division_of(work)
    usable = {clip for clip, *_ in described()}
    assert set(without.fold_of) - usable == {"of-other-classes"}
    assert {clip: with_lost.fold_of[clip] for clip in usable} == {
        clip: without.fold_of[clip] for clip in usable
    }
    kept = [folder / "folds" / "5-fold-by-subject.csv" for folder in (plain, work)]
    assert kept[0].read_bytes() == kept[1].read_bytes()
    assert without.digest != with_lost.digest, "runs that left them out are made again"


def test_all_folds_together_test_all_lost_clips(work):
    context = context_of(work)
    actual = context.lost_tests(clip_samples(context.manifests), fold=None)
    assert [one.clip_id for one in actual] == sorted(name for name, *_ in LOST)
    assert {one.part for one in actual} == {"test"}


@pytest.fixture
def runs(work):
    """A run of each fold that is right wherever there is a sample to look at."""
    folders = {}
    for context in context_of(work).each_fold():
        roles = context.roles(clip_samples(context.manifests), protocol_name="test")
        sure = np.array([[one.label == label for label in EKMAN7] for one in roles.predicted], np.float32)
        actual = predictions_of(roles, sure, sure, EKMAN7)
        folder = write_run(
            work,
            actual,
            experiment="sure",
            fold=context.fold,
            seed=0,
            config={"name": "sure"},
            manifest_digest="m",
            device="cpu",
            details=context.details,
        )
        folders[context.fold] = (folder, actual)
    return folders


@pytest.mark.slow
def test_scores_coverage_and_reasons_of_a_fold_count_them(work, runs):
    folder, actual = runs["2"]
    result = read_result(folder)
    lost = {name for name, *_ in LOST} & set(actual.clip_ids)
    assert lost >= {"s2-broken", "s2-gone"}
    assert (result["metrics"]["n"], result["metrics"]["n_missing"]) == (14 + len(lost), len(lost))
    assert result["rejected_test"]["ingest missing_file"] == 1
    assert sum(result["rejected_test"].values()) == len(lost)
    assert coverage(actual).share == pytest.approx(14 / (14 + len(lost)))
    assert missing_reasons(actual, work / "manifests") == result["rejected_test"]


@pytest.mark.slow
def test_pooled_scores_the_mean_of_the_folds_and_notes_count_them(runs):
    folders = [folder for folder, _ in runs.values()]
    reported = folds_json(folders)
    # Ten of each class are right; lost: three of anger, two of fear, one of sadness.
    expected = np.mean([10 / 13, 1.0, 10 / 12, 1.0, 10 / 11, 1.0, 1.0])
    assert (reported["pooled"]["n"], reported["pooled"]["n_missing"]) == (76, 6)
    assert reported["pooled"]["uar"] == pytest.approx(expected)
    assert reported["pooled"]["war"] == pytest.approx(70 / 76)
    label_of = {name: label for name, _, _, label, _ in LOST}
    each = []
    for _, one in runs.values():
        lost = [label_of[name] for name in one.clip_ids if name in label_of]
        each.append(np.mean([2 / (2 + lost.count(label)) for label in EKMAN7]))
    assert reported["mean"]["uar"] == pytest.approx(np.mean(each))
    table, classes = fold_tables(folders)
    assert table.rows[-2][:3] == ["all, pooled", 76, 6]
    reasons = "ingest empty_file 1, ingest missing_file 1, ingest truncated 3, sample no_frames_sampled 1"
    counted = f"sure: 6 test samples are of clips that could not be read ({reasons})"
    assert len([note for note in table.notes if note.startswith(counted)]) == 1
    assert any("6 of 76 samples have no prediction" in note for note in classes.notes)


def test_a_fold_file_of_clips_tells_the_fold_of_a_lost_clip(tmp_path):
    by_clip = FIVE_FOLD | {"group_by": "clip_id", "label": "5-fold by clip"}
    work = make(tmp_path / "work", protocol=by_clip)
    lines = [f"{clip},{1 + n % 5}" for n, (clip, *_) in enumerate(described())]
    mine = tmp_path / "mine.csv"
    mine.write_text("\n".join(["clip_id,fold", *lines, "s2-broken,4", "nobodys,5"]))
    for fold_file in (mine, None, mine):
        actual = division_of(work, fold_file)
        assert (actual.fold_of["s2-broken"], actual.fold_of["nobodys"]) == ("4", "5")
        assert actual.fold_of["new-one"] == hashed("clip_id", "new-one")
        assert actual.fold_of["s1-anger"] == "1"
    kept = (work / "folds" / "5-fold-by-clip.csv").read_text()
    assert "s2-broken,4\n" in kept
    assert "new-one" not in kept
    mine.write_text(mine.read_text().replace("s2-broken,4", "s2-broken,3"))
    with pytest.raises(ConfigError, match="divides otherwise than"):
        division_of(work, mine)


def test_a_fold_file_of_persons_may_name_those_without_usable_clips(tmp_path, work):
    mine = tmp_path / "mine.csv"
    lines = [f"s{n},{1 + n % 5}" for n in (*range(1, 11), 99)]
    mine.write_text("\n".join(["subject_id,fold", *lines]))
    for fold_file in (mine, None):
        actual = division_of(work, fold_file)
        assert {actual.fold_of[name] for name in ("new-one", "new-other")} == {"5"}
        assert actual.fold_of["s2-broken"] == actual.fold_of["s2-fear"] == "3"
    mine.write_text("\n".join(["subject_id,fold", *lines, "s100,1"]))
    with pytest.raises(ConfigError, match="has 1 unknown ids of column subject_id: s100"):
        division_of(make(tmp_path / "again"), mine)


def test_a_fold_file_of_clips_where_persons_are_kept_together(tmp_path, work):
    mine = tmp_path / "mine.csv"
    lines = [f"{clip},{1 + (int(subject[1:]) - 1) % 5}" for clip, subject, *_ in described()]
    mine.write_text("\n".join(["clip_id,fold", *lines, "nobodys,4", "new-one,1"]))
    for fold_file in (mine, None):
        actual = division_of(work, fold_file)
        assert actual.fold_of["nobodys"] == "4", "also where its person is unknown"
        assert {actual.fold_of[name] for name in ("new-one", "new-other")} == {"1"}
    for other in ("s2-broken,1", "new-other,2"):
        mine.write_text("\n".join(["clip_id,fold", *lines, "new-one,1", other]))
        with pytest.raises(ConfigError, match=r"puts subject_id 's(2|99)' into folds"):
            division_of(make(tmp_path / other), mine)


def test_a_first_frame_that_is_lost_is_no_lost_clip_of_methods_of_clips(tmp_path):
    work = make(tmp_path, rows=[("a", "ingest", "truncated", "neutral", "s1"), *LOST[:1]])
    path = work / "manifests" / "clips.parquet"
    rows = [{**row, "stills_only": row["label"] == "neutral"} for row in storage.read_rows(path)]
    storage.write_table(path, pa.Table.from_pylist(rows, schema=records.schema("clips")))
    names = {
        read: [one.clip_id for one in lost_samples(path.parent, read(path.parent))]
        for read in (moving_samples, image_samples)
    }
    assert names == {moving_samples: ["s2-broken"], image_samples: ["a", "s2-broken"]}
