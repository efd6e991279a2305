"""``fgbench report --votes`` and ``Work.agreement``: figures by hand, files in every format, no votes."""

import csv
import io
import re
import warnings
from collections import defaultdict

import numpy as np
import pytest
from typer.testing import CliRunner

import fgbench
from fgbench import storage
from fgbench.api.agreements import report_votes
from fgbench.cli.app import app
from fgbench.errors import ManifestError, exit_code
from fgbench.evaluation.agreement import numeric_agreement
from fgbench.reports.experiments import NoRunError
from fgbench.reports.votes.agreement import vote_figures
from fgbench.reports.votes.cast_votes import read_votes
from fgbench.reports.votes.tables import BLANK_NOTE, SHORT, vote_tables
from tests.support.report_folders import samples, write_manifests
from tests.support.voted_work import HASTY, SKILLS, drawn_votes, vote, write_votes

CLASSES = ["gloom", "thrill", "wrath"]


@pytest.fixture(scope="module")
def voted(tmp_path_factory):
    """Sixty clips of twelve subjects, five annotators; what three do not agree on is voted on again."""
    clips = [(f"c{number:02d}", f"s{number % 12}", CLASSES[number % 3]) for number in range(60)]
    work = tmp_path_factory.mktemp("voted")
    return write_votes(work, drawn_votes(clips, CLASSES), classes=CLASSES, scheme="found")


@pytest.fixture
def runner():
    return CliRunner()


def by_hand(tmp_path):
    """Three clips: one settled in round 1, one in round 2, one not; an annotator who is unsure once."""
    common = {"subject_id": None, "source_id": "film"}
    rows = [
        vote("a", "x", "wrath", settled="wrath", gold_label="wrath", spent_s=2.0, key_time_s=1.0, **common),
        vote("a", "y", "wrath", settled="wrath", gold_label="wrath", spent_s=4.0, key_time_s=1.2, **common),
        vote("a", "z", "gloom", settled="wrath", gold_label="wrath", spent_s=6.0, key_time_s=2.0, **common),
        vote("b", "x", "gloom", settled="gloom", confidence=0.5, **common),
        vote("b", "y", None, answer="unsure", settled="gloom", **common),
        vote("b", "z", None, answer="unknown", settled="gloom", **common),
        vote("b", "x", "gloom", round=2, settled="gloom", confidence=1.0, **common),
        vote("b", "y", "gloom", round=2, settled="gloom", **common),
        vote("c", "x", "odd", **common),
        vote("c", "z", None, answer="not_usable", **common),
    ]
    return write_votes(tmp_path, rows, classes=CLASSES, scheme="found")


def test_figures_of_rounds_and_classes_by_hand(tmp_path):
    """Clips count as settled in their last round; intervals of one cluster are blank."""
    found = vote_figures(read_votes(by_hand(tmp_path)))
    first, second = found.rounds
    assert (first.annotators, first.clips, first.votes, first.settled) == (3, 3, 8, 1)
    assert (first.unsure, first.not_usable, first.unknown) == (1, 1, 1)
    assert (second.round, second.clips, second.votes, second.settled) == (2, 1, 2, 1)
    assert (first.low, first.high) == (None, None)
    classes = {(one.round, one.label): one for one in found.classes}
    assert list(classes) == [(1, "gloom"), (1, "wrath"), (1, "odd"), (2, "gloom")]
    gloom = classes[1, "gloom"]
    assert (gloom.clips, gloom.votes, gloom.settled, gloom.confidence) == (2, 2, 0, 0.5)
    assert classes[2, "gloom"].settled == 1


def test_key_frames_and_confidences_have_intervals_too(voted, tmp_path):
    """By whole subjects, as for labels; blank with one cluster."""
    cast = read_votes(voted)
    first = vote_figures(cast).rounds[0]
    units, clusters = defaultdict(list), {}
    for row in storage.read_rows(voted / "manifests" / "votes.parquet"):
        if row["round"] == 1:
            units[row["clip_id"]].append((row["key_time_s"], row["confidence"]))
            clusters[row["clip_id"]] = row["subject_id"]
    for place, name in enumerate(("key_frame", "confidence")):
        values = [[one[place] for one in unit] for unit in units.values()]
        expected = numeric_agreement(values, clusters=list(clusters.values()))
        actual = [getattr(first, f"{name}_{end}") for end in ("alpha", "low", "high")]
        assert actual[0] == pytest.approx(expected.alpha)
        assert actual[1] < actual[0] < actual[2]
        assert actual[1:] == pytest.approx([expected.low, expected.high])
    alone = vote_figures(read_votes(by_hand(tmp_path))).rounds[0]
    assert (alone.key_frame_low, alone.confidence_high) == (None, None)


def test_a_blank_alpha_is_explained_where_there_is_one(tmp_path, voted):
    """In round 2 both votes are for one class, of which alpha is not defined."""
    cast = read_votes(by_hand(tmp_path))
    figures = vote_figures(cast)
    assert figures.rounds[1].alpha is None
    assert BLANK_NOTE in vote_tables(cast, figures)[0].notes
    many = read_votes(voted)
    assert BLANK_NOTE not in vote_tables(many, vote_figures(many))[0].notes


def test_later_rounds_are_explained_where_there_are_some(tmp_path):
    """A later round is not said to agree less: it may agree better."""
    cast = read_votes(by_hand(tmp_path))
    (note,) = [one for one in vote_tables(cast, vote_figures(cast))[0].notes if "later round" in one]
    assert "its alpha may be lower" in note
    first = cast.chosen(cast.rounds == 1)
    assert not any("later round" in one for one in vote_tables(first, vote_figures(first))[0].notes)


def test_figures_of_annotators_by_hand(tmp_path):
    """Agreement with the others, known answers, key frames against the others' median, shares of answers."""
    found = {one.annotator: one for one in vote_figures(read_votes(by_hand(tmp_path))).annotators}
    # On a: x against y and z, who are tied; y likewise; z against x and y. On b in round 2: both agree.
    assert (found["x"].votes, found["x"].compared, found["x"].agreement) == (4, 1, 1.0)
    assert (found["z"].compared, found["z"].agreement) == (1, 0.0)
    assert (found["x"].gold, found["x"].gold_accuracy, found["z"].gold_accuracy) == (1, 1.0, 0.0)
    assert found["x"].key_bias_s == pytest.approx(1.0 - 1.6)
    assert found["z"].key_bias_s == pytest.approx(2.0 - 1.1)
    assert (found["x"].seconds, found["z"].seconds) == (2.0, 6.0)
    assert (found["y"].unsure, found["z"].not_usable) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert found["x"].is_fast_and_wrong is None


def test_clips_with_two_votes_of_one_annotator_in_a_round_are_left_out_and_counted(tmp_path):
    rows = [vote(clip, name, "wrath") for clip in "ab" for name in "xy"] + [vote("b", "y", "gloom")]
    work = write_votes(tmp_path, rows, classes=CLASSES, scheme="found")
    cast = read_votes(work)
    assert (cast.n_left_out, len(cast.clip)) == (1, 2)
    assert "1 clip with two votes of one annotator" in report_votes(work).tables[0].notes[-1]


def test_the_planted_annotator_is_fast_and_wrong_and_nobody_else(voted):
    found = fgbench.open(voted).agreement().annotators
    assert found.index[found["is_fast_and_wrong"] == True].tolist() == [HASTY]  # noqa: E712
    assert found.loc[HASTY, "alpha_without"] == found["alpha_without"].max()


def test_the_values_of_python_are_those_of_the_tables(voted):
    agreement = fgbench.open(voted).agreement()
    assert agreement.rounds.index.tolist() == [1, 2]
    assert agreement.annotators.index.tolist() == list(SKILLS)
    assert len(agreement.pairs) == 10
    assert agreement.pairs["kappa"].between(-1, 1).all()
    assert agreement.classes.loc[1].index.tolist() == CLASSES
    assert agreement.confusions["pairs"].is_monotonic_decreasing
    assert 0 < agreement.alpha < 1
    assert "5 annotators" in repr(agreement)
    assert "<table" in agreement._repr_html_()
    assert agreement.figure().picture().startswith(b"\x89PNG")


def test_names_of_annotators_are_escaped_where_they_are_shown(tmp_path):
    name = "<script>alert(1)</script>"
    rows = [vote(f"c{number:02d}", who, "wrath") for number in range(20) for who in (name, "=1+1")]
    work = write_votes(tmp_path, rows, classes=CLASSES, scheme="found")
    assert "<script>" not in fgbench.open(work).agreement()._repr_html_()
    made = report_votes(work, formats=["html", "csv"])
    text = {path.name: path.read_text(encoding="utf-8") for path in made.paths}
    assert "<script>alert" not in text["votes-annotators.html"]
    cells = next(csv.reader(io.StringIO(text["votes-pairs.csv"].splitlines()[1])))
    assert cells[1] == "'=1+1"


def test_the_command_writes_all_formats_below_reports_and_prints_short_tables(runner, voted):
    shown = runner.invoke(app, ["report", "--votes", "--workdir", str(voted)])
    assert shown.exit_code == 0, shown.output
    for title in ("Agreement by round", "Agreement by class", "Annotators", "Pairs of annotators", "confuse"):
        assert title in shown.output
    parts = ("rounds", "classes", "annotators", "pairs", "confused", "agreement")
    there = {path.name for path in (voted / "reports").iterdir()}
    assert there == {f"votes-{part}.md" for part in parts} | {"votes-agreement.png"}
    formats = [part for kind in ("md", "tex", "csv", "html", "svg") for part in ("--format", kind)]
    again = runner.invoke(app, ["report", "--votes", "--workdir", str(voted), *formats])
    assert again.exit_code == 0
    assert {path.suffix for path in (voted / "reports").iterdir()} >= {".tex", ".csv", ".html", ".svg"}


def test_long_tables_are_cut_unless_in_full(runner, tmp_path):
    write_manifests(tmp_path, samples())
    clips = {clip: (clip, subject, label) for _, clip, subject, label in samples()}
    labels = sorted({label for _, _, label in clips.values()})
    write_votes(tmp_path, drawn_votes(list(clips.values()), labels))
    lines = {}
    for full in ([], ["--full"]):
        shown = runner.invoke(app, ["report", "--votes", "--workdir", str(tmp_path), *full]).output
        lines[bool(full)] = shown[shown.index("Classes that annotators confuse") :].count("\n| ")
        assert bool(re.search(r"\d+ more rows: --full", shown)) != bool(full)
    assert lines[False] == SHORT + 2
    assert lines[True] > lines[False]


def test_the_figure_for_a_paper_is_as_wide_as_its_page(voted, tmp_path):
    made = report_votes(voted, out=tmp_path / "out", for_paper=True)
    assert {path.suffix for path in made.paths} == {".tex", ".pdf"}
    drawing = next(path for path in made.paths if path.suffix == ".pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", drawing)
    assert float(box[1]) == pytest.approx(7.16 * 72, abs=0.5)


def test_a_data_set_without_votes_gives_one_clear_line(runner, tmp_path, caplog):
    """The exit code of a table without runs; nothing is written."""
    write_manifests(tmp_path, samples())
    shown = runner.invoke(app, ["report", "--votes", "--workdir", str(tmp_path)])
    assert shown.exit_code == exit_code(NoRunError("", ""))
    assert "mine has no votes of annotators" in caplog.text
    assert not (tmp_path / "reports").exists()
    with pytest.raises(ManifestError, match="has no votes"):
        fgbench.open(tmp_path).agreement()


def test_an_option_that_does_not_go_with_votes_is_refused(runner, voted):
    shown = runner.invoke(app, ["report", "--votes", "--table", "II", "--workdir", str(voted)])
    assert shown.exit_code == 2
    assert "stands alone" in shown.output


def test_thirty_annotators_with_most_votes_are_in_the_figure(tmp_path):
    random = np.random.default_rng(0)
    rows = [
        vote(f"c{number:02d}", f"p{who:02d}", str(random.choice(CLASSES)))
        for who in range(34)
        for number in range(25 + who)
    ]
    work = write_votes(tmp_path, rows, classes=CLASSES, scheme="found")
    table = fgbench.open(work).agreement().figure().table
    assert table.frame["Annotator"].tolist() == [f"p{who:02d}" for who in range(4, 34)]
    assert "4 annotators with fewer votes left out." in table.notes[-1]


def test_long_names_leave_room_for_the_map(tmp_path):
    """A name of any length, formula or not, does not push the figure off its page."""
    names = ["z" * 3000, "$\\frac{$", "y\u202e"]
    rows = [vote(f"c{number}", who, "wrath") for number in range(25) for who in names]
    work = write_votes(tmp_path / "work", rows, classes=CLASSES, scheme="found")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        made = report_votes(work, out=tmp_path / "out", formats=["png", "svg"])
    text = next(path for path in made.paths if path.suffix == ".svg").read_text(encoding="utf-8")
    assert "z" * 100 not in text
