"""What ``lbp-svm`` fits to and chooses on in k-fold protocols: no tested person, and every other one."""

import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from fgbench import records, storage
from fgbench.config import LbpSvmConfig
from fgbench.errors import ConfigError, DatasetError
from fgbench.methods.lbp_svm import method as lbp_svm
from fgbench.methods.lbp_svm.choice import inner_folds, plan_choice
from fgbench.runs.context import RunContext
from fgbench.runs.division import Division
from fgbench.runs.division_reading import read_division
from fgbench.runs.labels import read_labels
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.roles import Roles
from fgbench.runs.samples import Sample
from tests.support.divided_work import described, ekman_index, write_work

CONFIG = LbpSvmConfig(name="x", c_values=(0.1, 10.0), gamma_factors=(1.0,), inner_folds=3)
TABLE = "manifests/features/lbp/00000.parquet"


def context_of(work, *, jobs=1):
    index = json.loads((work / "manifests" / "index.json").read_text())
    division = read_division(work, index)
    return RunContext(
        workdir=work,
        manifest_digest="d",
        details={"dataset": "made up", "synthetic": True, "protocol": division.to_json()},
        seed=0,
        resume=True,
        force=False,
        jobs=jobs,
        progress=lambda name, done, total: None,
        labels=read_labels(index),
        division=division,
        fold="1",
    )


def sample(name, person, *, copy=False, label="joy"):
    return Sample(sample_id=name, clip_id=name, subject_id=person, label=label, part="train", is_copy=copy)


def test_inner_folds_keep_persons_together_and_judge_by_originals():
    pool = [
        sample(f"{person}-{kind}", person, copy=kind == "copy")
        for person in ("p1", "p2", "p10", "p3", "p4")
        for kind in ("one", "copy", "two")
    ]
    folds = inner_folds(pool, "subject_id", 4)
    assert len(folds) == 4
    judged = []
    for fold in folds:
        fitted = {pool[context].subject_id for context in fold.fitted}
        held_out = [pool[context] for context in fold.held_out]
        assert not fitted & {one.subject_id for one in held_out}
        assert not any(one.is_copy for one in held_out)
        assert sum(pool[context].is_copy for context in fold.fitted) == len(fitted), "copies train"
        judged += [one.sample_id for one in held_out]
    assert sorted(judged) == sorted(one.sample_id for one in pool if not one.is_copy)
    assert len(inner_folds(pool, "subject_id", 10)) == 5, "no more folds than persons"


def test_too_few_groups_are_told():
    with pytest.raises(ConfigError, match="2 training groups by subject_id, expected at least 3") as caught:
        inner_folds([sample("a", "p1"), sample("b", "p2")], "subject_id", 5)
    assert "selection: part" in caught.value.hint
    with pytest.raises(DatasetError, match="subject_id of clip 'a' is not known"):
        inner_folds([sample("a", None)], "subject_id", 5)


def test_who_chooses_and_who_trains():
    train = [sample(f"t{number}", f"p{number % 4}", copy=number == 0) for number in range(8)]
    chosen_on = [sample("s1", "p9"), sample("s2", "p8")]
    copies = [sample("s1-copy", "p9", copy=True)]
    roles = Roles(train=train, selection=chosen_on, predicted=[], test=[], selection_copies=copies)
    folds = Division(n_folds=3, group_by="subject_id")
    cases = [
        (CONFIG, Division(), "part", 8, 2),
        (CONFIG.model_copy(update={"refit": True}), Division(), "part", 11, 2),
        (CONFIG, folds, "inner-cv", 11, 5),
        (CONFIG.model_copy(update={"selection": "part"}), folds, "part", 8, 2),
        (
            CONFIG.model_copy(update={"selection": "inner-cv"}),
            Division(group_by="subject_id"),
            "inner-cv",
            11,
            5,
        ),
    ]
    for config, division, selection, n_final, held_out in cases:
        plan = plan_choice(config, roles, division)
        assert (plan.selection, plan.n_final) == (selection, n_final)
        assert plan.most_held_out <= held_out
        assert plan.refits == (n_final > 8)
        for fold in plan.folds:
            positions = np.arange(len(plan.pool))
            assert not set(positions[fold.fitted]) & set(positions[fold.held_out])
    assert plan_choice(CONFIG, roles, Division()).most_fitted == 8


def changed(work, tested):
    """The same work folder, with other pictures and other classes of the tested persons."""
    table = work / TABLE
    rows = list(storage.read_rows(table))
    generator = np.random.default_rng(9)
    for row in rows:
        if row["clip_id"] in tested:
            vector = generator.random(len(row["lbp"]))
            row["lbp"] = (vector / vector.sum()).tolist()
    width = len(rows[0]["lbp"])
    storage.write_table(table, pa.Table.from_pylist(rows, schema=records.schema("lbp", width)))


@pytest.mark.slow
@pytest.mark.parametrize("solver", ["exact", "nystroem"])
def test_no_tested_person_is_seen_by_what_is_chosen_fitted_or_calibrated(tmp_path, monkeypatch, solver):
    """Their pictures are exchanged: nothing but their own predictions changes, and none is read before."""
    config = CONFIG.model_copy(update={"solver": solver, "landmarks": 20})
    works = [write_work(tmp_path / name, described(), **ekman_index()) for name in ("one", "other")]
    tested = {clip for clip, subject, *_ in described() if subject in ("s1", "s6")}
    changed(works[1], tested)
    seen = []
    machines = []
    read, write = lbp_svm.read_matrices, lbp_svm.write_svm_run

    def noted(folder, wanted):
        seen.append({name.rsplit("-", 1)[0] for ids in wanted for name in ids})
        return read(folder, wanted)

    def kept(*arguments, **options):
        machines.append(options["sigmoid"])
        return write(*arguments, **options)

    monkeypatch.setattr(lbp_svm, "read_matrices", noted)
    monkeypatch.setattr(lbp_svm, "write_svm_run", kept)
    actual = [lbp_svm.run(config, context_of(work)) for work in works]
    half = seen[: len(seen) // 2]
    assert all(not names & tested for names in half[:-1]), "read before the machine is there"
    assert half[-1] == tested
    results = [read_result(folder)["details"] for folder in actual]
    assert results[0] == results[1]
    assert machines[0] == machines[1]
    first, second = (read_predictions(folder) for folder in actual)
    assert set(first.clip_ids) == tested
    assert not np.array_equal(first.probabilities, second.probabilities)


@pytest.mark.slow
def test_the_machine_is_fitted_to_every_other_person_and_not_calibrated_on_what_it_knows(
    tmp_path, monkeypatch
):
    work = write_work(tmp_path / "work", described(), no_face=("s3-fear",), **ekman_index())
    fitted, calibrated = [], []
    fit, calibrate = lbp_svm.fit_one_vs_rest, lbp_svm.fit_sigmoid

    def counted(values, truth, **options):
        fitted.append(len(truth))
        return fit(values, truth, **options)

    def noted(decisions, truth):
        calibrated.append((decisions, truth))
        return calibrate(decisions, truth)

    monkeypatch.setattr(lbp_svm, "fit_one_vs_rest", counted)
    monkeypatch.setattr(lbp_svm, "fit_sigmoid", noted)
    details = read_result(lbp_svm.run(CONFIG, context_of(work)))["details"]
    assert fitted[-1] == details["n_fitted"] == 8 * 7 - 1
    assert max(fitted[:-1]) < fitted[-1], "no machine of the inner folds knows them all"
    ((decisions, truth),) = calibrated
    assert len(decisions) == len(truth) == 8 * 7 - 1, "every picture, each by a machine that did not know it"


@pytest.mark.slow
def test_nothing_depends_on_the_number_of_jobs(tmp_path):
    work = write_work(tmp_path / "work", described(), **ekman_index())
    actual = []
    for jobs in (1, 3):
        context = context_of(work, jobs=jobs)
        actual.append(read_result(lbp_svm.run(CONFIG, replace(context, force=True))))
    assert actual[0]["predictions_sha256"] == actual[1]["predictions_sha256"]
    assert actual[0]["details"] == actual[1]["details"]
