"""``fgbench datasets``, ``fgbench check DATASET`` and ``fgbench prepare DATASET``, as users type them."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.fake_trees import write_picture, write_text

pytestmark = pytest.mark.slow


def fgbench_cli(*arguments, cwd, data=""):
    return subprocess.run(
        [sys.executable, "-m", "fgbench", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, "FGBENCH_DATA": str(data)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """A folder with ``data/raf-db``: nine pictures of which one is missing."""
    base = tmp_path_factory.mktemp("data_sets")
    lines = []
    for number in range(9):
        name = f"{'train' if number < 6 else 'test'}_{number:05d}"
        lines.append(f"{name}.jpg {number % 7 + 1}")
        if number:
            folder = base / "data" / "raf-db" / "basic" / "Image" / "aligned"
            write_picture(folder / f"{name}_aligned.jpg", name)
    write_text(base / "data/raf-db/basic/EmoLabel/list_patition_label.txt", "\n".join(lines))
    return base


def test_the_list_of_data_sets(here):
    done = fgbench_cli("datasets", "--json", cwd=here, data=here / "data")
    rows = {row["adapter"]: row for row in json.loads(done.stdout)}
    assert {"fg-emotions", "ck-plus", "raf-db", "fer2013", "jaffe", "afew", "folder"} <= rows.keys()
    assert rows["raf-db"]["found"] == str(here / "data" / "raf-db")
    assert rows["jaffe"]["found"] is None
    assert rows["ck-plus"]["label_sets"] == ["ck7", "ekman6", "ekman7", "ekman8", "none"]
    text = fgbench_cli("datasets", "--root", "data", cwd=here).stdout
    assert "found: data/raf-db" in text
    assert "found: not on this machine" in text


@pytest.mark.parametrize("options", [("--root", "data/raf-db"), ()])
def test_check_of_a_data_set(here, options):
    done = fgbench_cli("check", "raf-db", *options, cwd=here, data=here / "data")
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "ekman7 train test" in lines
    assert "sum 6 3" in lines
    assert "published 12271 3068" in lines
    assert "missing files: 1, e.g. basic/Image/aligned/train_00000_aligned.jpg" in lines
    assert lines[-1].startswith("next: fgbench prepare raf-db --data-root ")


def test_check_as_json(here):
    done = fgbench_cli("check", "raf-db", "--root", "data/raf-db", "--json", cwd=here)
    report = json.loads(done.stdout)
    assert (report["entries"], report["missing"], report["is_complete"]) == (9, 1, False)


def test_prepare_takes_its_work_folder_from_the_recipe(here):
    done = fgbench_cli("prepare", "raf_db", "--jobs", 1, cwd=here, data=here / "data")
    assert done.returncode == 0, done.stderr
    assert "manifests in fgbench-data/raf-db/work/manifests" in done.stdout
    assert "1 clip rejected (missing_file 1)" in done.stdout
    check = fgbench_cli("check", "fgbench-data/raf-db/work", cwd=here)
    assert "all as their index says" in check.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["check", "raf-db", "--root", "absent"], 4, "no folder absent"),
        (["check", "jaffe", "--root", "data"], 4, "expected layout: XX.YYn.m.tiff"),
        (["check", "jaffe"], 4, "fgbench check jaffe --root DIR"),
        (["check", "jafe", "--root", "data"], 3, "did you mean 'jaffe'"),
        (["datasets", "--root", "absent"], 4, "no folder absent"),
        (["prepare", "jaffe"], 2, "--data-root"),
    ],
)
def test_wrong_use_is_explained(here, arguments, code, message):
    done = fgbench_cli(*arguments, cwd=here)
    assert done.returncode == code, done.stderr
    assert message in " ".join((done.stdout + done.stderr).split())
    assert "Traceback" not in done.stderr
