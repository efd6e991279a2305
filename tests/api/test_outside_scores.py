"""``work.score``: as the command does, with the same errors."""

import csv
import logging

import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

import fgbench
from tests.support.outside_work import N_FRAMES, cli, unit_frames, videos

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def truth(tmp_path_factory):
    return videos(tmp_path_factory.mktemp("outside"))


@pytest.fixture(scope="module")
def work(truth):
    return fgbench.open(truth.work)


@pytest.fixture(scope="module")
def labels(truth, tmp_path_factory):
    """Labels of the tested clips, every third of them wrong."""
    path = tmp_path_factory.mktemp("files") / "tool.csv"
    names = sorted(set(truth.labels.values()))
    rows = [
        (clip, label if number % 3 else names[(names.index(label) + 1) % len(names)])
        for number, (clip, label) in enumerate(truth.labels.items())
    ]
    pd.DataFrame(rows, columns=["clip", "label"]).to_csv(path, index=False)
    return path


def test_a_file_becomes_a_run(work, truth, labels, capfd, caplog):
    with caplog.at_level(logging.INFO, logger="fgbench"):
        run = work.score(labels)
    assert capfd.readouterr() == ("", "")
    assert f"{labels} is read as csv (its columns tell), {len(truth.labels)} rows" in caplog.text
    assert isinstance(run, fgbench.Run)
    given = pd.read_csv(labels).set_index("clip")["label"]
    table = run.predictions.set_index("clip_id")
    assert table["predicted"].dropna().to_dict() == given.to_dict()
    assert table["predicted"].isna().sum() == 1  # the lost clip
    expected = balanced_accuracy_score(table["label"], table["predicted"].fillna("none"))
    assert run.scores.loc["war", "mean"] == pytest.approx((table["label"] == table["predicted"]).mean())
    with pytest.warns(UserWarning, match="y_pred contains classes"):
        balanced_accuracy_score(table["label"], table["predicted"].fillna("none"))
    assert run.scores.loc["uar", "mean"] == pytest.approx(expected)
    assert "tool" in [one.name for one in work.runs]
    by_command = cli("score", labels, "--workdir", truth.work, "--name", "same")
    assert by_command.exit_code == 0, by_command.output
    assert work.run("same").scores.equals(run.scores)


def test_the_mark_is_in_all_that_shows_itself(work, labels, tmp_path):
    run = work.score(labels, name="marked")
    mark = "OUTSIDE: predicted by another program (tool.csv, read as csv)"
    assert mark in repr(run)
    assert mark in run._repr_html_()
    titles = [one.title for one in (*run.tables, run.figure("confusion"), run.figure("reliability"))]
    assert [title for title in titles if not title.startswith("marked/0/0 (outside), ")] == []
    pd.read_csv(labels).assign(label="anger").to_csv(tmp_path / "poor.csv", index=False)
    compared = fgbench.compare(run, work.score(tmp_path / "poor.csv"))
    named = [note.partition(": ")[0] for note in compared.notes if mark[:8] in note]
    assert named == ["marked/0/0", "poor/0/0"]
    assert mark in compared._repr_html_()


def test_units_become_a_run_of_units(work, tmp_path):
    with (tmp_path / "units.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["clip", "frame", "AU1", "AU12"])
        writer.writerows(
            [f"c{number:03d}", frame, (number + frame) % 2, int((number * frame) % 3 == 0)]
            for number, frame in unit_frames()
        )
    run = work.score(tmp_path / "units.csv", format="csv")
    assert isinstance(run, fgbench.UnitRun)
    assert run.mean_f1 == pytest.approx(1)
    assert "OUTSIDE: predicted by another program (units.csv, read as csv)" in repr(run)
    assert N_FRAMES == 8


def test_errors_are_those_of_the_command(work, truth, labels, tmp_path):
    (tmp_path / "empty.csv").write_text("clip,label\n")
    (tmp_path / "classes.csv").write_text("clip,label\nc000,glee\n")
    before = sorted((truth.work / "runs").rglob("*"))
    cases = [
        ({"file": tmp_path / "missing.csv"}, []),
        ({"file": tmp_path / "empty.csv"}, []),
        ({"file": tmp_path / "classes.csv"}, []),
        ({"file": labels, "format": "openfase"}, ["--format", "openfase"]),
        ({"file": labels, "samples": "faces"}, ["--samples", "faces"]),
        ({"file": labels, "name": "a/b"}, ["--name", "a/b"]),
        ({"file": labels, "map": {"glee": "joy"}}, ["--map", "glee=joy"]),
    ]
    for arguments, options in cases:
        with pytest.raises(fgbench.FgbenchError) as caught:
            work.score(**arguments)
        done = cli("score", arguments["file"], "--workdir", truth.work, *options)
        assert done.exit_code == fgbench_exit_code(caught.value)
    assert sorted((truth.work / "runs").rglob("*")) == before
    for wrong in ({"glee": 5}, ["glee"], {5: "joy"}):
        with pytest.raises(fgbench.FgbenchError, match="map"):
            work.score(labels, map=wrong)


def fgbench_exit_code(error):
    from fgbench.errors import exit_code

    return exit_code(error)
