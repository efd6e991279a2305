"""Every method refuses a class of the label set that would not be trained on, before anything is computed."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

import fgbench
from fgbench.errors import DatasetError
from fgbench.runs.context import RunContext
from fgbench.runs.division_reading import read_division
from fgbench.runs.labels import read_labels
from fgbench.runs.samples import clip_samples, image_samples
from fgbench.storage import read_json
from tests.support.divided_work import described, ekman_index, write_work

THREE = {"kind": "k-fold", "folds": 3, "group_by": "subject_id", "label": "3-fold by subject"}


def context_of(work):
    index = read_json(work / "manifests" / "index.json")
    return RunContext(
        workdir=work,
        manifest_digest="m",
        details={},
        seed=0,
        resume=True,
        force=False,
        jobs=1,
        progress=lambda name, done, of: None,
        labels=read_labels(index),
        division=read_division(work, index),
        fold="1",
    )


def lacking(folder, *, without, **changes):
    """Seven classes of four persons in three folds, one of which only a single person shows."""
    clips = [c for c in described(subjects=4) if c[2] != "fear" or c[1] not in without]
    return context_of(write_work(folder, clips, **ekman_index(protocol=THREE), **changes))


def test_classes_with_training_samples_in_every_fold_are_taken(tmp_path):
    context = lacking(tmp_path, without=("s1",))
    assert [each.fold for each in context.trained_folds()] == ["1", "2", "3"]
    roles = context.roles(clip_samples(context.manifests), protocol_name="clips")
    assert {sample.label for sample in roles.train} == set(context.labels.labels)


def test_no_fold_is_begun_if_one_lacks_a_class(tmp_path):
    context = lacking(tmp_path, without=("s1", "s2", "s4"))  # s3 alone shows fear
    faults = {}
    for fold in context.division.folds:
        try:
            context.trained_folds(fold)
        except DatasetError as error:
            faults[fold] = error
    assert 1 <= len(faults) < 3
    with pytest.raises(DatasetError) as caught:
        context.trained_folds()
    first = min(faults)
    assert caught.value.message == faults[first].message
    assert caught.value.message == (
        f"1 of 7 classes have no training sample in fold {first} of {context.division.name}: fear"
    )
    assert "--fold-file" in caught.value.hint


def test_a_class_whose_training_clips_have_no_face_is_refused_for_images(tmp_path):
    fear = tuple(f"s{number}-fear" for number in range(1, 5))
    context = lacking(tmp_path, without=(), no_face=fear)
    context.trained_folds()
    known = [s.sample_id for s in image_samples(context.manifests) if s.label != "fear"]
    with pytest.raises(DatasetError, match=r"1 of 7 classes have no training sample in fold 1.*: fear"):
        context.roles(image_samples(context.manifests), protocol_name="images", with_features=known)


def test_many_classes_are_counted(tmp_path):
    clips = [(f"c{number}", f"p{number}", "anger", part) for number, part in enumerate(["train", "test"])]
    context = context_of(write_work(tmp_path, clips))
    context = replace(context, fold="0")
    with pytest.raises(DatasetError, match=r"32 of 33 classes have no training sample: .* and 27 more"):
        context.trained_folds()


def test_all_methods_start_from_these_roles():
    root = Path(fgbench.__file__).parent
    callers = {
        str(path.relative_to(root))
        for path in root.rglob("*.py")
        if re.search(r"(?<!def )\bassign_roles\(", path.read_text(encoding="utf-8"))
    }
    assert callers == {"runs/context.py"}
