"""Data sets of k folds from Python: parts of a fold, runs of one fold and of all, scores pooled."""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import recall_score

import fgbench
from fgbench import storage
from fgbench.reports.comparison.contenders import find_contender
from tests.support.divided_work import FIVE_FOLD, described, write_work

LABELS = ("anger", "joy", "fear")


@pytest.fixture(scope="module")
def folded(tmp_path_factory):
    """Ten persons, a clip of each class, in five folds by person; s1 and s6 are tested first."""
    folder = tmp_path_factory.mktemp("folds") / "work"
    index = {"scheme": "free", "classes": sorted(LABELS), "protocol": FIVE_FOLD}
    write_work(folder, described(LABELS, subjects=10), pictures=True, no_face=("s3-joy",), **index)
    sort_into_parts(folder)
    return fgbench.open(folder)


def sort_into_parts(folder):
    """Pictures in the files of their parts, as ``prepare`` writes them."""
    path = folder / "manifests/images/all-00000.parquet"
    table = pq.read_table(path)
    for part in set(table.column("split").to_pylist()):
        own = table.filter(pc.equal(table.column("split"), part))
        storage.write_table(path.with_name(f"{part}-00000.parquet"), own)
    path.unlink()


def test_folds_are_named_and_clips_tell_theirs(folded):
    assert folded.folds == ("1", "2", "3", "4", "5")
    fold_of = dict(zip(folded.clips["subject_id"], folded.clips["fold"], strict=True))
    assert fold_of == {f"s{number}": str((number - 1) % 5 + 1) for number in range(1, 11)}
    assert "5 folds" in repr(folded)
    assert not (folded.path / "folds").exists()  # looking writes nothing


@pytest.mark.parametrize("fold", [1, "1", np.int64(1)])
def test_a_part_is_that_of_the_fold(folded, fold):
    """Fold 1 tests s1 and s6, fold 2 (s2, s7) selects, the others train."""
    people = {part: set(folded.clips_in(part, fold=fold)["subject_id"]) for part in ("train", "val", "test")}
    assert people["test"] == {"s1", "s6"}
    assert people["val"] == {"s2", "s7"}
    assert people["train"] == {"s3", "s4", "s5", "s8", "s9", "s10"}
    for part, own in people.items():
        images, faces = folded.images(part, fold=fold), folded.faces(part, fold=fold)
        n_clips = len(own) * len(LABELS)
        assert set(images.table["subject_id"]) == own
        assert set(images.table["split"]) == set(faces["split"]) == {part}
        assert len(faces) == n_clips
        assert len(images) == n_clips - ("s3" in own)  # no face, no picture
        assert images[0].shape == (224, 224, 3)


def test_every_clip_is_tested_once(folded):
    tested = [clip for fold in folded.folds for clip in folded.clips_in("test", fold=fold)["clip_id"]]
    assert sorted(tested) == sorted(folded.clips["clip_id"])
    assert len(folded.images()) == len(folded.images(fold=1)) == 29


def test_what_is_no_part_of_a_fold(folded, work_of_parts):
    for ask in (folded.images, folded.faces, folded.clips_in):
        with pytest.raises(
            fgbench.FgbenchError, match="part 'test' without a fold, and the data set has 5 folds"
        ):
            ask("test")
        with pytest.raises(fgbench.FgbenchError, match="no fold '0', expected one of 1, 2, 3, 4, 5"):
            ask("test", fold=0)
        with pytest.raises(fgbench.FgbenchError, match=r"fold 1\.5, expected a name"):
            ask("test", fold=1.5)
    assert work_of_parts.folds == ("0",)
    assert len(work_of_parts.images("test", fold=0)) == len(work_of_parts.images("test")) > 0
    with pytest.raises(fgbench.FgbenchError, match="no fold '1', expected one of 0"):
        work_of_parts.images("test", fold=1)


@pytest.fixture
def work_of_parts(tmp_path):
    parts = [
        (clip, who, label, "test" if who == "s1" else "train") for clip, who, label, _ in described(LABELS)
    ]
    write_work(tmp_path / "parts", parts, pictures=True, scheme="free", classes=sorted(LABELS))
    sort_into_parts(tmp_path / "parts")
    return fgbench.open(tmp_path / "parts")


@pytest.mark.slow
def test_scores_of_all_folds_are_pooled(folded, monkeypatch, tmp_path):
    monkeypatch.setattr("fgbench.methods.steps.contexts.ensure_features", lambda *arguments, **options: None)
    quick = tmp_path / "quick.yaml"
    quick.write_text("extends: lbp-svm\nnormalisations: [hellinger]\nkernels: [linear]\nc_values: [1.0]\n")
    one = folded.train("lbp-svm", quick, fold=2, progress=False)
    assert [folder.parts[-3:] for folder in one.folders] == [("lbp-svm", "2", "0")]
    assert set(one.predictions["subject_id"]) == {"s2", "s7"}
    run = folded.train("lbp-svm", quick, progress=False)
    assert [folder.parts[-2] for folder in run.folders] == ["1", "2", "3", "4", "5"]
    table = run.predictions
    assert sorted(table["sample_id"]) == sorted(f"{clip}-f00000" for clip in folded.clips["clip_id"])
    fold_of = dict(zip(folded.clips["clip_id"], folded.clips["fold"], strict=True))
    assert table["fold"].tolist() == [fold_of[clip] for clip in table["clip_id"]]
    recalls = recall_score(table["label"], table["predicted"].fillna("none"), labels=LABELS, average=None)
    assert run.scores.loc["uar", "mean"] == pytest.approx(recalls.mean())
    interval = find_contender("lbp-svm", folded.path).interval("uar")  # as the tables have it
    assert (run.scores.loc["uar", "low"], run.scores.loc["uar", "high"]) == (interval.low, interval.high)
    assert folded.run("lbp-svm").scores.equals(run.scores)
    pair = folded.train("lbp-svm", quick, fold=1, seeds=2, progress=False)
    assert pair.name == "lbp-svm/1"
    assert sorted(set(pair.predictions["seed"])) == [0, 1]
    assert set(pair.predictions["subject_id"]) == {"s1", "s6"}
