"""Values in notebooks and terminals: HTML with all names escaped, bars, and nothing printed."""

import html
import io
import logging
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import fgbench
from fgbench import notebook_lines
from fgbench.api import notebook_bars, progress
from tests.support.page_folders import HOSTILE, write_data
from tests.support.report_folders import write_fake_run

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def shown_work(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown") / "work"
    write_data(folder, clips={"train": 33, "test": 33}, images_per_clip=1, copies={}, n_faces=2)
    for seed in (0, 1):
        write_fake_run(folder, "good", method="Mine", seed=seed, share=0.8)
    return fgbench.open(folder)


def check_markup(markup):
    assert "<script" not in markup
    assert "<img src=x" not in markup
    assert markup.startswith("<")


def test_hostile_names_are_text(tmp_path):
    """A class, and whatever else a user may name, cannot become markup."""
    write_data(
        tmp_path,
        clips={"train": 2, "test": 2},
        images_per_clip=1,
        copies={},
        labels=(SCRIPT, HOSTILE),
        n_faces=1,
    )
    work = fgbench.open(tmp_path)
    scored = fgbench.score([SCRIPT, "b"], [SCRIPT, "b"])
    face = fgbench.Face(
        chip=np.zeros((8, 8, 3), np.uint8),
        landmarks=np.zeros((5, 2), np.float32),
        transform=np.eye(2, 3),
        box_xyxy=np.zeros(4, np.float32),
        score=1.0,
        quality=1.0,
        yaw_deg=0.0,
        pitch_deg=0.0,
        roll_deg=0.0,
        status=SCRIPT,
        n_faces=1,
    )
    prediction = fgbench.Prediction(
        path=tmp_path / SCRIPT.replace("/", ""),
        status="ok",
        message="",
        probabilities={SCRIPT: 0.9, "b": 0.1},
        upper={},
        box_xyxy=None,
        n_people=1,
        n_frames=1,
        n_faces=1,
        is_units=False,
    )
    compared = fgbench.Compared(
        first=SCRIPT, second=HOSTILE, difference=0.1, low=0.0, high=0.2, p=0.00012, n=5
    )
    for value in (work, work.images(), scored, scored.figure(SCRIPT), face, prediction, compared):
        check_markup(value._repr_html_())
    assert "&lt;script&gt;" in work.images()._repr_html_()
    assert "0.00012" in compared._repr_html_()


def test_every_kind_of_value_has_a_form_for_notebooks():
    kinds = [getattr(fgbench, name) for name in fgbench.__all__]
    classes = [one for one in kinds if isinstance(one, type) and not issubclass(one, Exception)]
    assert [one.__name__ for one in classes if not hasattr(one, "_repr_html_")] == []


def test_what_commands_print_is_shown_in_notebooks(tmp_path):
    """Results that other modules make, as the lines of the command; names stay text."""
    pulled = fgbench.Pulled(folder=tmp_path / "<script>", kind="network", files=2, revision="a1")
    check_markup(pulled._repr_html_())
    assert html.unescape(pulled._repr_html_()).count("\n".join(pulled.lines())) == 1
    shown = [fgbench.doctor(), fgbench.label_set("ekman6"), fgbench.recipe("lbp-svm"), fgbench.data_sets()[0]]
    assert [one._repr_html_()[:4] for one in shown] == ["<pre", "<pre", "<p>R", "<pre"]
    assert "FER2013 &lt;b&gt;" in notebook_lines.lines_html(["FER2013 <b>"])
    assert {one.__name__ for one in notebook_lines.NotebookLines.__subclasses__()} >= {"Pulled", "Health"}


@pytest.mark.slow
def test_everything_shows_itself(shown_work):
    run = shown_work.run("good")
    (board,) = shown_work.leaderboard
    values = [shown_work, shown_work.images("test"), run, run.figure(), run.figure("reliability"), board]
    for value in [*values, shown_work.table("II"), *run.tables]:
        assert repr(value).startswith("<")
        assert len(repr(value)) < 400
        check_markup(value._repr_html_())
    sheet = shown_work.images("test")._repr_html_()
    assert sheet.count("<img ") == 24
    assert "33 pictures" in sheet


@pytest.mark.slow
def test_tables_are_data_frames_with_notes(shown_work, tmp_path):
    run, table = shown_work.run("good"), shown_work.table("II")
    row = table.frame[table.frame["Method"] == "Mine"].iloc[0]
    assert row["Mean"] == pytest.approx(run.scores.loc["uar", "mean"])
    assert row["Mean sd"] == pytest.approx(run.scores.loc["uar", "sd"])
    assert row["Seeds"] == 2
    assert table.frame["Seeds"].dtype == "Int64"
    assert any("SYNTHETIC" in text for text in (table.title, *table.notes))
    for same in ("2", 2, "ii", "table2"):
        assert shown_work.table(same).title == table.title
    assert table.save(tmp_path / "a.csv").read_text() == table.text("csv")
    assert table.text("csv").splitlines()[0].split(",")[:3] == ["Source", "Method", "Of"]
    assert shown_work.leaderboard[0].frame["Run"].tolist() == ["good"]
    with pytest.raises(fgbench.FgbenchError, match=r"file .*a\.doc, expected an ending of \.md, \.tex"):
        table.save(tmp_path / "a.doc")


@pytest.mark.slow
def test_confusions_are_drawn(shown_work, tmp_path):
    figure = shown_work.run("good").figure("confusion")
    shares = figure.table.frame.set_index("True class")
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1)
    counts = shown_work.run("good").confusion
    assert shares.loc["anger", "anger"] == pytest.approx(
        counts.loc["anger", "anger"] / counts.loc["anger"].sum()
    )
    assert figure.save(tmp_path / "a.pdf").read_bytes()[:4] == b"%PDF"
    assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"
    with pytest.raises(fgbench.FgbenchError, match="figure 'roc', expected one of confusion, reliability"):
        shown_work.run("good").figure("roc")


def test_pictures_are_chosen_by_numbers_and_masks(shown_work):
    images = shown_work.images("test")
    mask = images.table["label"] == "anger"
    for chosen in (images[mask], images[mask.to_numpy()], images[np.flatnonzero(mask)]):
        assert len(chosen) == mask.sum() > 0
        np.testing.assert_array_equal(chosen[0], images[int(np.flatnonzero(mask)[0])])
    assert images[[]] == []


@pytest.mark.slow
def test_nothing_is_printed(shown_work, capfd, tmp_path, caplog):
    """By the file descriptors, so that libraries in C are heard too; the log has what commands would say."""
    with caplog.at_level(logging.INFO, logger="fgbench"):
        run = shown_work.run("good")
        for value in (shown_work, run, shown_work.images(), shown_work.table("II"), run.figure()):
            repr(value), value._repr_html_()
        shown_work.runs, shown_work.rejects, shown_work.faces(), run.per_class, run.tables
        fgbench.align(np.zeros((64, 64), np.uint8))
        fgbench.lbp(shown_work.images()[:2])
        fgbench.compare(*[fgbench.score(["a", "b"], ["a", "a"], clusters=["x", "y"]) for _ in "12"])
        fgbench.synth(
            tmp_path / "drawn",
            classes=["anger"],
            clips_per_class=1,
            subjects=1,
            width=160,
            height=120,
            min_duration_s=0.5,
            max_duration_s=0.5,
            jobs=1,
        )
        work = fgbench.prepare(tmp_path / "drawn", workdir=tmp_path / "work", jobs=1)
        with pytest.raises(fgbench.FgbenchError):
            work.train("lbp-svm")
    assert capfd.readouterr() == ("", "")
    assert "drawing 1 clip of 1 synthetic person" in caplog.text
    assert {record.name for record in caplog.records} == {"fgbench"}


def test_bars_are_drawn_in_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    with progress.bars(None) as update:
        update("faces", 1, 2)
        update("nothing", 0, 0)
    assert "faces" in sys.stderr.getvalue()
    assert "1/2" in sys.stderr.getvalue()
    assert "nothing" not in sys.stderr.getvalue()


def test_bars_of_a_notebook_are_html(monkeypatch):
    drawn = []

    class Handle:
        def display(self, bundle, raw):
            drawn.append(("new", bundle, raw))

        def update(self, bundle, raw):
            drawn.append(("same", bundle, raw))

    monkeypatch.setitem(sys.modules, "IPython.display", SimpleNamespace(DisplayHandle=Handle))
    monkeypatch.setattr(progress, "is_notebook", lambda: True)
    monkeypatch.setattr(notebook_bars, "_LEAST_S", 0.0)
    with progress.bars(None) as update:
        update(SCRIPT, 1, 4)
        update("off", 0, 0)
        update(SCRIPT, 4, 4)
    assert [kind for kind, _, _ in drawn] == ["new", "same", "same"]
    html = drawn[-1][1]["text/html"]
    assert '<progress value="4" max="4"' in html
    assert "&lt;script&gt;" in html
    assert SCRIPT not in html
    assert drawn[-1][1]["text/plain"] == f"{SCRIPT}: 4 of 4"


def test_a_notebook_shows_the_users_own_lines_of_an_error():
    with pytest.raises(fgbench.FgbenchError) as caught:
        fgbench.lbp(None)
    lines = caught.value._render_traceback_()
    assert lines[-2].startswith("ConfigError: None is no face")
    assert "fgbench.lbp(None)" in "".join(lines)
    assert "fgbench/api/features.py" not in "".join(lines)


def test_a_notebook_shows_all_lines_of_an_error_to_debug(monkeypatch):
    monkeypatch.setenv("FGBENCH_DEBUG", "1")
    with pytest.raises(fgbench.FgbenchError) as caught:
        fgbench.lbp(None)
    assert "features.py" in "".join(caught.value._render_traceback_())
