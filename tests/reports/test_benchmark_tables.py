"""Tables III and IV: the paper's numbers, and ours recounted from predictions."""

import numpy as np
import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.reports.experiments import NoRunError
from fgbench.reports.paper import numbers as paper
from fgbench.reports.rendering.table import Spread
from fgbench.reports.tables import table3, table4
from fgbench.runs.predictions import read_predictions
from fgbench.runs.results import read_result
from fgbench.runs.zero_shot import RULE, six
from fgbench.workfolders.sealed_json import SEAL, write_sealed
from tests.support.benchmark_runs import PROTOCOL, fake_run, of_fold
from tests.support.divided_work import EKMAN7, FIVE_FOLD, described, ekman_index, write_work
from tests.support.report_folders import write_fake_run

VAL = PROTOCOL | {
    "name": "held-out",
    "select_on": "held-out",
    "label": "tested on the official validation set",
    "folds": ["0"],
}


@pytest.fixture
def work(tmp_path):
    return write_work(tmp_path / "ck", described(), **ekman_index())


def all_folds(work, experiment, seeds=(0,), **details):
    return [
        fake_run(work, experiment, of_fold(fold), fold=fold, seed=seed, **details)
        for seed in seeds
        for fold in PROTOCOL["folds"]
    ]


def recounted(folders):
    """Pooled UAR and share of hits, and UAR of each run, counted without the product's metrics."""
    actual = [read_predictions(folder) for folder in folders]
    pairs = [list(zip(one.labels, one.predicted, strict=True)) for one in actual]

    def mean_recall(of):
        labels = sorted({true for true, _ in of})
        return np.mean(
            [np.mean([reported == true for true, reported in of if true == label]) for label in labels]
        )

    every = [pair for part in pairs for pair in part]
    return mean_recall(every), np.mean([a == b for a, b in every]), [mean_recall(part) for part in pairs]


def rows_of(table, method):
    return {row[1]: dict(zip(table.columns, row, strict=True)) for row in table.rows if row[0] == method}


def test_the_papers_numbers_are_those_of_the_paper():
    """Means are those that were computed from the print apart from this code."""
    third, fourth = paper.benchmarks("table3"), paper.benchmarks("table4")
    assert third.datasets == (
        "CK+", "MMI", "SFEW", "AffectNet", "RAF-DB Basic", "RAF-DB Compound", "FER2013",
    )  # fmt: skip
    assert fourth.datasets == ("CK+", "MMI", "Oulu-CASIA", "AFEW 7.0")
    assert (third.ours, fourth.ours) == ("MSAU-Net (Ours)", "TMSAU-Net (Ours)")
    assert third.mean("MSAU-Net (Ours)") == pytest.approx(0.7407, abs=5e-5)
    assert third.mean("Li et al. [51]") == pytest.approx(0.6205, abs=5e-5)
    assert fourth.mean("ST Net [32]") == pytest.approx(0.7903, abs=5e-5)
    assert fourth.mean("TMSAU-Net (Ours)") == pytest.approx(0.834, abs=5e-5)
    assert len(third.accuracies) == 9
    assert len(fourth.accuracies) == 5


@pytest.mark.parametrize(
    ("dataset", "n_classes", "third", "fourth"),
    [
        ("ck-plus", 7, "CK+", "CK+"),
        ("CK+", 8, "CK+", "CK+"),
        ("ck-plus-48", 7, "CK+", "CK+"),
        ("ck-plus-contempt", 7, "CK+", "CK+"),
        ("MMI", 6, "MMI", "MMI"),
        ("mmi-6", 6, "MMI", "MMI"),
        ("oulu_casia", 6, None, "Oulu-CASIA"),
        ("raf-db", 7, "RAF-DB Basic", None),
        ("raf-db", 11, "RAF-DB Compound", None),
        ("raf-db-compound", 11, "RAF-DB Compound", None),
        ("fer2013", 7, "FER2013", None),
        ("fer2013-plus", 8, None, None),
        ("affectnet-8", 8, "AffectNet", None),
        ("sfew", 7, "SFEW", None),
        ("afew-7", 7, None, "AFEW 7.0"),
        ("jaffe", 7, None, None),
        ("mmi2", 6, None, None),
    ],
)
def test_data_sets_find_their_column(dataset, n_classes, third, fourth):
    assert paper.benchmark_column("table3", dataset, n_classes) == third
    assert paper.benchmark_column("table4", dataset, n_classes) == fourth


@pytest.mark.parametrize(
    ("dataset", "n_classes", "title"),
    [
        ("fer-plus", 8, "FER+"),
        ("jaffe", 7, "JAFFE"),
        ("dfew-16f", 7, "DFEW"),
        ("oulu-casia-6", 6, "Oulu-CASIA"),
        ("sfew-aligned", 7, "SFEW"),
        ("raf-db", 9, "RAF-DB"),
        ("FERV39k", 7, "FERV39k"),
        ("mafw", 11, "MAFW"),
        ("aff_wild2", 8, "Aff-Wild2"),
        ("folder", 3, "folder"),
        ("my faces", 3, "my faces"),
    ],
)
def test_data_sets_have_titles(dataset, n_classes, title):
    assert paper.benchmark_title(dataset, n_classes) == title


@pytest.mark.slow
def test_data_sets_that_the_paper_lacks_have_columns_of_their_own(work, tmp_path):
    all_folds(work, "lbp-svm", kind="image")
    works = [work]
    for name in ("oulu-casia", "JAFFE"):
        works.append(write_work(tmp_path / name, described(), **ekman_index(), dataset=name))
        all_folds(works[-1], "lbp-svm", kind="image", dataset=name)
    table = table3.build_of(works)
    assert table.columns[-4:] == ["FER2013", "Mean", "JAFFE", "Oulu-CASIA"]
    assert table.blocks == (8, 2)
    theirs = [dict(zip(table.columns, row, strict=True)) for row in table.rows if row[1] == "paper"]
    assert {(row["JAFFE"], row["Oulu-CASIA"]) for row in theirs} == {(None, None)}
    assert theirs[-1]["Mean"] == pytest.approx(0.7407, abs=5e-5)
    for dataset, column, folder in (("JAFFE", "JAFFE", works[2]), ("oulu-casia", "Oulu-CASIA", works[1])):
        uar, war, _ = recounted(sorted((folder / "runs" / "lbp-svm").glob("*/0")))
        own = [
            dict(zip(table.columns, row, strict=True))
            for row in table.rows
            if row[2] == f"{dataset}, 7 classes (SYNTHETIC)"
        ]
        assert [row["Of"] for row in own] == ["UAR, folds pooled", "UAR, mean of the folds", "WAR"]
        assert (own[0][column], own[2][column]) == (pytest.approx(uar), pytest.approx(war))
        filled = {name for row in own for name in table.columns[4:] if row[name] is not None}
        assert filled == {column}
    assert "The paper's table does not have: JAFFE, Oulu-CASIA." in table.notes
    assert not any("does not have" in line for line in table3.build(work).notes)


@pytest.mark.slow
def test_folds_are_shown_pooled_and_as_a_mean_beside_the_paper(work):
    folders = all_folds(work, "lbp-svm", kind="image")
    table = table3.build(work)
    assert (
        table.title == "Table III. Accuracy on public data sets, images: ck-plus, 7 classes (SYNTHETIC data)"
    )
    ours = rows_of(table, "LBP+SVM")
    uar, war, each = recounted(folders)
    assert ours["UAR, folds pooled"]["CK+"] == pytest.approx(uar)
    assert ours["WAR"]["CK+"] == pytest.approx(war)
    spread = ours["UAR, mean of the folds"]["CK+"]
    assert (spread.mean, spread.sd) == (pytest.approx(np.mean(each)), pytest.approx(np.std(each, ddof=1)))
    assert ours["UAR less MSAU-Net (Ours)"]["CK+"] == pytest.approx(uar - 0.991)
    for row in ours.values():
        assert row["Protocol"] == "5-fold by subject"
        assert row["Data"] == "ck-plus, 7 classes (SYNTHETIC)"
        assert [name for name in ("MMI", "SFEW", "FER2013", "Mean") if row[name] is not None] == []
    theirs = rows_of(table, "MSAU-Net (Ours)")["paper"]
    assert (theirs["CK+"], theirs["FER2013"]) == (0.991, 0.783)
    assert rows_of(table, "Ding et al. [49]")["paper"]["MMI"] is None
    (note,) = [line for line in table.notes if line.startswith("LBP+SVM on")]
    assert "210 samples, 20 without a usable face" in note
    assert "coverage 0.905" in note
    assert "runs/lbp-svm" in note


@pytest.mark.slow
def test_clips_that_could_not_be_read_are_not_taken_for_faces_that_were_not_found(work):
    """Seven of the samples without prediction are of such clips."""
    for number, folder in enumerate(all_folds(work, "lbp-svm", seeds=(0, 1), kind="image")):
        if number % 5 < 2:
            result = {key: value for key, value in read_result(folder).items() if key != SEAL}
            rejected = {"ingest truncated": 3, **({"sample no_frames": 1} if number % 5 else {})}
            write_sealed(folder / "result.json", result | {"rejected_test": rejected})
    table = table3.build(work)
    (note,) = [line for line in table.notes if line.startswith("LBP+SVM on")]
    assert "210 samples, 13 without a usable face and 7 of clips that could not be read, which" in note
    (reasons,) = [line for line in table.notes if "(ingest truncated 6, sample no_frames 1)" in line]
    assert reasons.startswith("LBP+SVM: 7 test samples are of clips that could not be read")


def test_samples_that_a_variant_lacks_are_counted(tmp_path):
    index = ekman_index(left_out={"contempt": 18, "neutral": 118})
    work = write_work(tmp_path / "ck", described(), **index)
    all_folds(work, "lbp-svm", kind="image")
    (note,) = [line for line in table3.build(work).notes if line.startswith("LBP+SVM on")]
    assert note.endswith("Not part of this variant: 18 of contempt, 118 of neutral.")


@pytest.mark.slow
def test_seeds_have_a_spread_and_one_is_given_its_folds(work):
    all_folds(work, "msau", seeds=(0, 1), kind="image", method="MSAU-Net (Ours)")
    table = table3.build(work)
    rows = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    (ours,) = [row["CK+"] for row in rows if row["Of"] == "UAR, folds pooled"]
    pooled = [
        recounted([work / "runs" / "msau" / fold / str(seed) for fold in PROTOCOL["folds"]])
        for seed in (0, 1)
    ]
    values = [one[0] for one in pooled]
    assert ours == Spread(pytest.approx(np.mean(values)), pytest.approx(np.std(values, ddof=1)))
    (mean,) = [row["CK+"] for row in rows if row["Of"] == "UAR, mean of the folds"]
    over = np.mean([one[2] for one in pooled], axis=0)
    assert mean == Spread(pytest.approx(over.mean()), pytest.approx(over.std(ddof=1)))


@pytest.mark.slow
def test_a_missing_fold_leaves_blank_cells_and_a_note(work):
    for fold in ("1", "2", "4", "5"):
        fake_run(work, "lbp-svm", of_fold(fold), fold=fold, kind="image")
    table = table3.build(work)
    ours = rows_of(table, "LBP+SVM")
    assert {row["CK+"] for row in ours.values()} == {None}
    (note,) = [line for line in table.notes if line.startswith("LBP+SVM on")]
    assert note.endswith("blank, since runs/lbp-svm/3/0 is missing; finish it.")


@pytest.mark.slow
def test_zero_shot_and_fine_tuned_rows_are_labelled_and_dropped_samples_counted(work):
    dropped = {"contempt": 2, "neutral": 30}
    shown = [(f"{n}-{label}", f"s{n}", label) for n in range(10) for label in six()]
    zero = {"kind": "zero-shot", "method": "MSAU-Net (Ours)", "dataset": "fg-emotions", "dropped": dropped,
            "rule": RULE, "summed": {"uar": 0.4321, "war": 0.4}, "scheme": "fg33"}  # fmt: skip
    one = PROTOCOL | {"label": "5-fold by subject, all folds tested by one network", "folds": ["0"]}
    fake_run(
        work, "msau-on-ck-plus", shown, classes=(*six(), "love"), kind="image", protocol=one,
        method="MSAU-Net (Ours), trained on fg-emotions", transfer=zero,
    )  # fmt: skip
    tuned = {"kind": "fine-tuned", "dataset": "fg-emotions", "scheme": "fg33"}
    all_folds(work, "msau-fine-tuned", kind="image", method="MSAU-Net (Ours)", transfer=tuned)
    table = table3.build(work)
    names = list(dict.fromkeys(row[0] for row in table.rows))
    label = "MSAU-Net (Ours), zero-shot from fg-emotions"
    assert names[-2:] == ["MSAU-Net (Ours), fine-tuned from fg-emotions", label]
    (note,) = [line for line in table.notes if line.startswith(label)]
    assert "Samples left out: 2 of contempt, 30 of neutral." in note
    assert "By the largest sum of probabilities UAR is 0.432." in note
    assert "love wrong for every class" in note
    uar, _, _ = recounted([work / "runs" / "msau-on-ck-plus" / "0" / "0"])
    assert rows_of(table, label)["UAR"]["CK+"] == pytest.approx(uar)


def test_variants_of_a_data_set_are_never_put_together(tmp_path):
    works = []
    for n_classes in (6, 7):
        classes = EKMAN7[:n_classes]
        index = ekman_index(scheme=f"ekman{n_classes}", classes=list(classes))
        work = write_work(tmp_path / f"ck{n_classes}", described(classes), **index)
        shown = [(f"{n}-{label}", f"s{n}", label) for n in range(6) for label in classes]
        fake_run(work, "lbp-svm", shown, classes=classes, kind="image", protocol=PROTOCOL | {"folds": ["0"]})
        works.append(work)
    table = table3.build_of(works)
    data = [row[2] for row in table.rows if row[0] == "LBP+SVM" and row[1] == "UAR"]
    assert data == ["ck-plus, 6 classes (SYNTHETIC)", "ck-plus, 7 classes (SYNTHETIC)"]
    assert table.title.endswith("images: ck-plus, 6 classes, ck-plus, 7 classes (SYNTHETIC data)")


@pytest.mark.slow
def test_several_work_folders_fill_one_table_by_the_command(work, tmp_path):
    all_folds(work, "dense-traj-svm", kind="video")
    afew = write_work(
        tmp_path / "afew", described(part="val"), dataset="afew", **ekman_index(protocol={"kind": "parts"})
    )
    fake_run(afew, "dense-traj-svm", of_fold("1"), dataset="afew", kind="video", protocol=VAL)
    words = ["report", "--table", "IV", "--workdir", str(work), "--workdir", str(afew), "--format", "csv"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    lines = (work / "reports" / "table4.csv").read_text().splitlines()
    assert lines[0] == "Method,Of,Data,Protocol,CK+,MMI,Oulu-CASIA,AFEW 7.0,Mean"
    (line,) = [line for line in lines if "afew, 7" in line and ",UAR," in line]
    uar, _, _ = recounted([afew / "runs" / "dense-traj-svm" / "0" / "0"])
    assert line == f'DenseTraj,UAR,"afew, 7 classes (SYNTHETIC)",{VAL["label"]},,,,{uar},'
    table = table4.build_of([work, afew])
    assert rows_of(table, "DenseTraj")["UAR less TMSAU-Net (Ours)"]["AFEW 7.0"] == pytest.approx(uar - 0.476)
    refused = CliRunner().invoke(app, ["report", "--table", "I", *words[3:7]])
    assert refused.exit_code == 2
    assert "2 work folders, but table1 is of one" in refused.output


def test_other_runs_are_not_shown(work):
    with pytest.raises(NoRunError, match="no finished run of image methods on CK\\+"):
        table3.build(work)
    write_fake_run(work, "msau", method="MSAU-Net (Ours)")
    fake_run(work, "dense-traj-svm", of_fold("1"), kind="video", protocol=VAL)
    with pytest.raises(NoRunError, match="no finished run of image methods"):
        table3.build(work)
    assert "DenseTraj" in {row[0] for row in table4.build(work).rows}
    assert read_result(work / "runs" / "msau" / "0" / "0")["details"]["method"] == "MSAU-Net (Ours)"
    assert FIVE_FOLD["folds"] == len(PROTOCOL["folds"])


@pytest.mark.slow
def test_data_that_are_not_as_published_are_told(tmp_path):
    index = ekman_index(unlike_published={"train": [8000, 28709], "test": [7066, 7178]})
    work = write_work(tmp_path / "ck", described(), **index)
    all_folds(work, "lbp-svm", kind="image")
    (note,) = [line for line in table3.build(work).notes if line.startswith("LBP+SVM on")]
    assert note.endswith(
        "Not the data as published: train has 8,000 of 28,709, test has 7,066 of 7,178 entries."
    )


@pytest.mark.slow
def test_table_2_of_other_classes_says_where_they_are_shown(tmp_path):
    """Not that a method has to be run: what there is tells other classes apart."""
    work = write_work(tmp_path, described(subjects=10), **ekman_index(protocol=FIVE_FOLD))
    for fold in "12345":
        fake_run(work, "lbp-svm", of_fold(fold), fold=fold, method="LBP+SVM")
    done = CliRunner().invoke(app, ["report", "--table", "II", "--workdir", str(work)])
    assert done.exit_code == 7
    text = " ".join(done.stderr.split())
    assert "tell 7 classes apart, this is of the paper's 33" in text
    assert "fgbench report with --table III" in text
    assert f"fgbench leaderboard --workdir {work}" in text
