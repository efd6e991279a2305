"""Every block of README and the documentation is run, or says why not; none escapes."""

import csv
import io

import pytest
import yaml
from fgbench_docs.notebooks import notebook_files

from fgbench.catalogue.listing import list_data
from fgbench.config import (
    DatasetConfig,
    PrepareConfig,
    TrainImageConfig,
    load_prepare,
    load_training,
)
from fgbench.errors import ConfigError
from fgbench.inference.other_programs.reading import read_prediction_table
from tests.support.doc_blocks import ROOT, blocks, blocks_of, pages
from tests.support.own_data_walk import FIRST
from tests.support.shell_lines import WrongLineError, check_line

WAYS = {
    "bash",
    "commands for real",
    "data",
    "predictions",
    "python",
    "python in the work folder",
    "python with a network",
    "recipe train msau",
    "sql",
    "yaml",
}
"""Ways to run a block that have a runner: here, or in ``test_python_blocks.py``."""


def of(*ways):
    return [pytest.param(one, id=one.name) for one in blocks() if one.kind != "not run" and one.way in ways]


def test_every_block_has_a_runner_or_a_reason():
    for one in blocks():
        if one.kind == "not run":
            assert len(one.mark.split()) >= 2, f"{one.name}: say why it is not run"
        elif one.kind == "tested":
            test = ROOT / one.mark
            assert test.is_file(), f"{one.name}: no file {one.mark}"
            assert "doc_blocks" in test.read_text(encoding="utf-8"), (
                f"{one.mark} reads no block of {one.name}"
            )
        else:
            assert one.way in WAYS, f"{one.name}: nothing runs {one.way!r}; mark it: not run, with a reason"


def test_every_notebook_is_run_by_a_test():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    for notebook in notebook_files(ROOT / "docs"):
        assert any("notebooks" in text and notebook.stem in text for text in texts), (
            f"nothing runs {notebook}"
        )


def test_pages_and_blocks_are_found():
    assert {"README.md", "start.md", "evaluation.md", "methods.md"} <= {path.name for path in pages()}
    assert {one.language for one in blocks()} >= {"bash", "python", "yaml", "toml", "sql", "csv"}
    assert {one.way for one in blocks() if not one.kind or one.kind == "runs"} == WAYS, "a way without blocks"


def test_a_block_without_a_runner_is_told():
    text = (
        "<!-- not run: a reason -->\n```text\na\n```\n\n"
        "- in a list\n\n  ```perl\n  b\n  ```\n\nlines\n\n    indented\n"
    )
    marked, listed, indented = blocks_of(text, "page.md")
    assert (marked.kind, marked.mark, marked.line, marked.text) == ("not run", "a reason", 2, "a\n")
    assert (listed.language, listed.kind, listed.text) == ("perl", "", "b\n")
    assert indented.language == "indented"
    assert not {listed.way, indented.way} & WAYS
    apart = blocks_of("<!-- not run: of another -->\n\ntext\n\n```bash\nls\n```\n", "page.md")
    assert [one.kind for one in apart] == [""]


@pytest.mark.parametrize("one", of("bash", "commands for real"))
def test_commands_exist_with_their_options(one):
    for line in one.text.splitlines():
        check_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "fgbench prepair",
        "fgbench train msau --recip x",
        "fgbench train msau --recipe no-such-recipe",
        "fgbench prepare no-such-recipe",
        "fgbench report --table",
        "make cakes",
        "docker build -t other .",
        'docker run --rm -v "$PWD:/data" fgbench prepair',
        "pip install '.[no-such-extra]'",
        "pip install no-such-package",
        "torchrun -m other train msau",
        "rm -r /",
    ],
)
def test_lines_that_would_fail_are_told(line):
    with pytest.raises(WrongLineError):
        check_line(line)


def test_the_first_command_of_the_walk_is_that_of_the_readme():
    assert any(FIRST in one.text for one in blocks() if one.page == "README.md")
    assert any(FIRST in one.text for one in blocks() if one.page == "docs/start.md")


@pytest.mark.parametrize("one", of("yaml"))
def test_recipes_of_prepare_are_valid(one, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(one.text)
    recipe = load_prepare(str(path))
    assert isinstance(recipe, PrepareConfig)
    for name, section in yaml.safe_load(one.text).items():
        if isinstance(section, dict):
            assert {key: getattr(getattr(recipe, name), key) for key in section}.keys() == section.keys()


@pytest.mark.parametrize("one", of("recipe train msau"))
def test_recipes_of_training_are_valid(one, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(one.text)
    assert load_training(str(path), TrainImageConfig).optimiser.epochs == 60
    path.write_text(one.text.replace("epochs", "epoch"))
    with pytest.raises(ConfigError, match="did you mean 'epochs'"):
        load_training(str(path), TrainImageConfig)


def table_of(one):
    """Name of the file that a table of a page would be, by its columns."""
    columns = set(one.text.split("\n")[0].split(","))
    if "annotator" in columns:
        return "votes.csv"
    if columns == {"clip", "label", "key_frame"}:
        return "gold.csv"
    if "label" in columns:
        return "annotations.csv"
    return "action_units.csv" if any(name.startswith("AU") for name in columns) else "selection.csv"


@pytest.mark.parametrize("one", of("data"))
def test_tables_of_own_data_are_read(one, tmp_path):
    """Where the files that they name exist no clip has a fault, and labels are those of the table."""
    rows = list(csv.DictReader(io.StringIO(one.text)))
    for row in rows:
        path = tmp_path / "videos" / row["clip"]
        path = path if path.suffix else path.with_suffix(".mp4")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row["clip"].encode())
    name = table_of(one)
    (tmp_path / name).write_text(one.text)
    if name in ("action_units.csv", "gold.csv", "selection.csv"):
        clips = dict.fromkeys(row["clip"] for row in rows)
        (tmp_path / "annotations.csv").write_text(
            "\n".join(["clip,label", *(f"{clip},anger" for clip in clips)])
        )
    listing = list_data(DatasetConfig(scheme="found"), tmp_path)
    assert [entry.problem for entry in listing.entries] == [None] * len({row["clip"] for row in rows})
    if name == "annotations.csv":
        assert [entry.label for entry in listing.entries] == [row["label"] for row in rows]
    if name == "gold.csv":
        assert [entry.gold_label for entry in listing.entries] == [row["label"] for row in rows]
    if name == "votes.csv":
        assert [vote.label for vote in listing.entries[0].votes] == [row["label"] for row in rows]
    if name == "selection.csv":
        confirmed = [int(row["frame"]) for row in rows if row.get("inspected_by")]
        assert list(listing.entries[0].selected_frames) == confirmed


@pytest.mark.parametrize("one", of("predictions"))
def test_tables_of_predictions_are_read(one, tmp_path):
    path = tmp_path / "predictions.csv"
    path.write_text(one.text)
    head, *rows = csv.reader(io.StringIO(one.text))
    answers = read_prediction_table(path)
    assert answers.format == "csv"
    assert [row.name for row in answers.rows] == [row[0] for row in rows]
    if head[1] == "label":
        assert [row.label for row in answers.rows] == [row[1] for row in rows]
    else:
        assert list(answers.classes) == head[1:]
