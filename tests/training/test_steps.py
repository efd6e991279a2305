"""Training from Python: the lines of the documentation make the whole chain, and print nothing."""

import csv
import json

import pyarrow.parquet as pq
import pytest
import yaml

from fgbench.cli.app import app
from fgbench.config import TrainImageConfig, load_training
from fgbench.files.hashing import digest_file
from fgbench.methods.steps.images import train_images
from fgbench.runs.results import read_result, verify
from tests.support.doc_blocks import block
from tests.support.tiny_work import FAST, au_recipe, au_rows, context_in, image_recipe, small_work

ONCE = FAST | {"epochs": 1}
CELLS = {1: "1", -1: "0", 0: ""}

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture
def work(tmp_path):
    """A work folder whose data set brings labels of action units; nothing has been trained."""
    context = context_in(tmp_path / "work", small_work(tmp_path / "made"))
    root = tmp_path / "data"
    root.mkdir()
    clips = pq.read_table(context.manifests / "clips.parquet", columns=["clip_id", "label"]).to_pylist()
    with (root / "annotations.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("clip", "label"), *((row["clip_id"], row["label"]) for row in clips)])
    with (root / "action_units.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("clip", "frame", "AU4", "AU12"))
        for row in au_rows(context.manifests):
            cells = (CELLS[row.labels[name]] for name in ("au04", "au12"))
            table.writerow((row.clip_id, row.frame_index, *cells))
    kept = json.loads((context.workdir / "prepare.json").read_text())
    (context.workdir / "prepare.json").write_text(json.dumps({**kept, "root": str(root)}))
    return context.workdir


@pytest.fixture
def recipe(tmp_path):
    """A tiny MSAU-Net on a tiny trunk."""
    units, images = tmp_path / "au.yaml", tmp_path / "images.yaml"
    units.write_text(yaml.safe_dump(au_recipe(optimiser=ONCE).model_dump(mode="json")))
    config = image_recipe(au_recipe=str(units), optimiser=ONCE)
    images.write_text(yaml.safe_dump(config.model_dump(mode="json")))
    return images


def test_the_lines_of_the_page_train_the_trunk_and_the_network(work, recipe, capsys):
    lines = block("docs/python.md", "from fgbench.config import TrainImageConfig")
    assert len([line for line in lines.splitlines() if line]) <= 5
    messages: list[str] = []
    lines = lines.replace('"msau-small"', repr(str(recipe))).replace(
        '"fgbench-data/my-clips/work"', repr(str(work))
    )
    actual = {"print": messages.append}
    exec(lines, actual)
    folders = actual["folders"]
    assert [folder.relative_to(work).as_posix() for folder in folders] == [
        f"runs/tiny/0/{n}" for n in range(3)
    ]
    for seed, folder in enumerate(folders):
        verify(folder)
        (link,) = read_result(folder)["details"]["chain"]
        assert (link["part"], link["run"], link["seed"]) == ("action units", f"au-tiny/0/{seed}", seed)
        assert link["sha256"] == digest_file(work / f"runs/au-tiny/0/{seed}/weights.safetensors")
    assert f"recipe tiny on made up in {work}, cpu" in messages
    assert capsys.readouterr() == ("", ""), "who calls is told by what he gives, and nothing is printed"


def test_the_command_finds_the_runs_that_python_made(work, recipe):
    from typer.testing import CliRunner

    (folder,) = train_images(load_training(str(recipe), TrainImageConfig), str(work), device="cpu")
    before = (folder / "result.json").stat().st_mtime_ns
    words = ["train", "msau", "--workdir", str(work), "--recipe", str(recipe), "--device", "cpu"]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert f"run: {folder}" in done.stdout
    assert (folder / "result.json").stat().st_mtime_ns == before, "it is found, not made again"
