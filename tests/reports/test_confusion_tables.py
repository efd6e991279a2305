"""Tables VI and VII: shares counted again from the predictions with plain Python; the paper's diagonals."""

import statistics

import pyarrow.parquet as pq
import pytest

from fgbench.reports.experiments import NoRunError
from fgbench.reports.rendering.table import Spread
from fgbench.reports.tables import table6, table7
from fgbench.taxonomy import leaf
from tests.support.report_folders import samples, write_fake_run

SADNESS = ["gloom", "guilt", "remorse", "sorrow", "suffering"]
HAPPINESS = ["thrill", "relief", "pride", "pleasure", "optimism"]


def counted(folder, true, predicted):
    """Share of the samples of a class that are taken for one of some classes (``None`` among them)."""
    rows = [row for row in pq.read_table(folder / "predictions.parquet").to_pylist() if row["label"] == true]
    return sum(row["predicted"] in predicted for row in rows) / len(rows)


def lines(table):
    return {(row[0], row[1]): dict(zip(table.columns[2:], row[2:], strict=True)) for row in table.rows}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("confusions")
    write_fake_run(work, "msau", method="MSAU-Net (Ours)", shown=samples(20))
    write_fake_run(work, "au-cnn", method="AU+CNN", share=1.0)
    return work


@pytest.mark.slow
@pytest.mark.parametrize(("module", "classes"), [(table6, SADNESS), (table7, HAPPINESS)])
def test_shares_are_those_counted(work, module, classes):
    table = module.build(work)
    assert list(table.columns) == ["True class", "Of", *classes, "elsewhere"]
    assert list(dict.fromkeys(row[0] for row in table.rows)) == classes
    rows = lines(table)
    folder = work / "runs" / "msau" / "0" / "0"
    for true in classes:
        ours, theirs = rows[true, "this data set"], rows[true, "paper"]
        for predicted in classes:
            assert ours[predicted] == pytest.approx(counted(folder, true, [predicted]))
            assert rows[true, "difference"][predicted] == pytest.approx(ours[predicted] - theirs[predicted])
        assert ours["elsewhere"] == pytest.approx(1 - counted(folder, true, classes))
        assert sum(theirs.values()) == pytest.approx(1.0)
    assert "MSAU-Net (Ours): from runs/msau/0/0." in table.notes
    assert "(SYNTHETIC data)" in table.title


def test_papers_values():
    """Literals of the paper's tables."""
    from fgbench.reports.paper.numbers import confusion

    assert confusion("table6").shares["sorrow", "suffering"] == 0.123
    assert confusion("table7").shares["pride", "optimism"] == 0.087
    assert list(confusion("table6").classes) == SADNESS
    assert list(confusion("table7").classes) == HAPPINESS


def test_papers_diagonals_against_its_table2(work):
    (sadness,) = [note for note in table6.build(work).notes if "diagonal" in note]
    assert sadness == (
        "The diagonal of the paper's Table VI differs from its Table II: remorse 0.676, there 0.688; "
        "sorrow 0.712, there 0.667; suffering 0.665, there 0.780."
    )
    (happiness,) = [note for note in table7.build(work).notes if "diagonal" in note]
    assert happiness.endswith("Table II: pleasure 0.782, there 0.738.")


def test_share_that_stays_in_the_upper_class(work):
    folder = work / "runs" / "msau" / "0" / "0"
    members = [entry for entry in {name for *_, name in samples()} if leaf(entry).basic == "sadness"]
    kept = statistics.mean(counted(folder, true, members) for true in SADNESS)
    assert any(f"{kept:.3f} of the predictions stay in sadness" in note for note in table6.build(work).notes)
    assert any("without embarrassment and depression" in note for note in table6.build(work).notes)


def test_several_experiments_and_seeds(tmp_path):
    folders = [
        write_fake_run(tmp_path, "msau-small", method="MSAU-Net (Ours)", seed=seed) for seed in range(3)
    ]
    write_fake_run(tmp_path, "msau-tuned", method="MSAU-Net (Ours)", share=1.0)
    rows = lines(table6.build(tmp_path))
    cell = rows["guilt", "this data set, msau-small"]["guilt"]
    values = [counted(folder, "guilt", ["guilt"]) for folder in folders]
    assert isinstance(cell, Spread)
    assert (cell.mean, cell.sd) == pytest.approx((statistics.mean(values), statistics.stdev(values)))
    assert rows["guilt", "difference, msau-small"]["guilt"] == pytest.approx(cell.mean - 0.682)
    assert [of for true, of in rows if true == "gloom"] == [
        "this data set, msau-small",
        "this data set, msau-tuned",
        "paper",
        "difference, msau-small",
        "difference, msau-tuned",
    ]


def test_missing_run_leaves_blanks(tmp_path):
    write_fake_run(tmp_path, "msau", method="MSAU-Net (Ours)")
    (tmp_path / "runs" / "msau" / "1" / "0").mkdir(parents=True)
    table = table6.build(tmp_path)
    assert set(lines(table)["gloom", "this data set"].values()) == {None}
    assert set(lines(table)["gloom", "difference"].values()) == {None}
    assert any("runs/msau/1/0 is missing" in note for note in table.notes)


def test_without_a_run_there_is_a_command_to_run(tmp_path):
    write_fake_run(tmp_path, "au-cnn", method="AU+CNN")
    with pytest.raises(NoRunError, match="no finished run of MSAU-Net") as caught:
        table7.build(tmp_path)
    assert "run one of: fgbench train msau (" in caught.value.hint
