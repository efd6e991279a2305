"""``report --votes --pair`` and ``Agreement.confusion``: classes that two annotators confuse, by hand."""

import csv
from collections import Counter

import numpy as np
import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.api.agreements import report_votes
from fgbench.cli.app import app
from fgbench.errors import ConfigError
from tests.support.voted_work import drawn_votes, vote, write_votes

CLASSES = ["gloom", "thrill", "wrath"]
FIRST, SECOND = "ann-1", "ann-2"


@pytest.fixture(scope="module")
def rows():
    clips = [(f"c{number:02d}", f"s{number % 12}", CLASSES[number % 3]) for number in range(60)]
    return drawn_votes(clips, CLASSES)


@pytest.fixture(scope="module")
def voted(rows, tmp_path_factory):
    return write_votes(tmp_path_factory.mktemp("voted"), rows, classes=CLASSES, scheme="found")


@pytest.fixture(scope="module")
def counted(rows):
    """(class of the first, class of the second) to clips, over both rounds."""
    given = {
        name: {(row["clip_id"], row["round"]): row["label"] for row in rows if row["annotator"] == name}
        for name in (FIRST, SECOND)
    }
    pairs = [(label, given[SECOND].get(unit)) for unit, label in given[FIRST].items()]
    return Counter(pair for pair in pairs if None not in pair)


def read(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_the_matrix_counts_each_clip_that_both_voted_on(voted, counted):
    agreement = fgbench.open(voted).agreement()
    matrix = agreement.confusion(FIRST, SECOND)
    assert list(matrix.index[: len(CLASSES)]) == CLASSES
    assert {(row, column): n for row, line in matrix.iterrows() for column, n in line.items() if n} == dict(
        counted
    )
    assert np.array_equal(agreement.confusion(SECOND, FIRST).to_numpy(), matrix.to_numpy().T)


def test_tables_and_kappa(voted, counted, tmp_path):
    made = report_votes(voted, out=tmp_path / "out", formats=["csv"], pair=(FIRST, SECOND))
    assert {path.name for path in made.paths} == {"votes-pair.csv", "votes-pair-matrix.csv"}
    confused = {pair: n for pair, n in counted.items() if pair[0] != pair[1]}
    by_first = Counter()
    for (first, _), n in counted.items():
        by_first[first] += n
    table = made.tables[0]
    assert {(row[0], row[1]): row[2] for row in table.rows} == confused
    assert [row[2] for row in table.rows] == sorted(confused.values(), reverse=True)
    assert all(row[3] == pytest.approx(row[2] / by_first[row[0]]) for row in table.rows)
    figures = fgbench.open(voted).agreement().pairs.loc[FIRST, SECOND]
    assert f"{figures['shared']:.0f} clips in rounds" in table.notes[0]
    assert f"kappa {figures['kappa']:.3f}." in table.notes[0]
    matrix = read(tmp_path / "out" / "votes-pair-matrix.csv")
    assert matrix[0][:4] == ["Class", *CLASSES]
    assert sum(int(cell) for row in matrix[1:4] for cell in row[1:4]) == counted.total()


def test_the_command_prints_the_pair_alone(voted, tmp_path):
    words = ["report", "--votes", "--workdir", str(voted), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*words, "--pair", FIRST, SECOND])
    assert done.exit_code == 0, done.output
    assert f"Classes of {FIRST} and {SECOND}" in done.stdout
    assert "Agreement by round" not in done.stdout
    without = CliRunner().invoke(app, ["report", "--pair", FIRST, SECOND, "--workdir", str(voted)])
    assert (without.exit_code, "--votes" in without.output) == (2, True)
    unknown = CliRunner().invoke(app, [*words, "--pair", FIRST, "zoe"])
    assert (unknown.exit_code, "'zoe' is no annotator" in unknown.output) == (2, True)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((FIRST, FIRST), "twice, expected two annotators"),
        ((FIRST, "zoe\n"), "is no annotator of"),
        ((FIRST,), "expected two names"),
        ("ab", "expected two names"),
    ],
)
def test_pairs_that_are_none(voted, tmp_path, pair, message):
    with pytest.raises(ConfigError, match=message):
        report_votes(voted, out=tmp_path / "out", pair=pair)
    assert not (tmp_path / "out").exists()


def test_a_pair_without_clips_in_common_and_hostile_names(tmp_path):
    names = ["<b>|x\n", "y\u202e"]
    rows = [
        vote("a", names[0], "wrath", subject_id="s"),
        vote("b", names[1], "gloom", subject_id="t"),
    ]
    work = write_votes(tmp_path / "work", rows, classes=CLASSES, scheme="found")
    made = report_votes(work, out=tmp_path / "out", formats=["md", "html", "tex"], pair=names)
    assert made.tables[0].notes[0] == "0 clips in rounds in which both voted for a class."
    assert [len(table.rows) for table in made.tables] == [0, 0]
    for path in made.paths:
        text = path.read_text(encoding="utf-8")
        assert "\u202e" not in text
        assert "<b>" not in text or path.suffix != ".html"
