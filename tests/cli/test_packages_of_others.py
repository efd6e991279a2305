"""A package of others, installed beside fgbench, brings plugins of each kind; broken ones harm nobody."""

import json
import os
import subprocess
import sys
import tomllib

import pyarrow.parquet as pq
import pytest

from tests.support.chains import with_chains
from tests.support.clip_folders import LABELS, write_plain_clip
from tests.support.doc_blocks import block
from tests.support.packages_of_others import fgbench, install
from tests.support.stranger_package import MODULES, POINTS, write_wheel

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Folders: ``site`` with the package, and ``work``, which is prepared from ``data`` by what it brings."""
    folder = tmp_path_factory.mktemp("stranger")
    wheel = write_wheel(folder, POINTS, MODULES, ran=folder / "ran")
    install(folder / "site", wheel)
    for number, part in enumerate(("train", "val", "test")):
        for label in LABELS:
            write_plain_clip(folder / "data" / f"{part}-p{number}-{label}-0.mp4", 3, seed=number)
    done = fgbench(
        *("prepare", "glad-quick", "--data-root", "data", "--workdir", "work", "--engine", "one-by-one"),
        *("--jobs", 1),
        site=folder / "site",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def run(here):
    def in_folder(*arguments, code=0, site="site"):
        done = fgbench(*arguments, site=here / site, cwd=here)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return in_folder


def test_its_data_set_decoder_engine_and_stage_prepare(here):
    clips = pq.read_table(here / "work" / "manifests" / "clips.parquet").to_pylist()
    assert len(clips) == 99
    assert {clip["decoder"] for clip in clips} == {"plain-av"}
    rows = pq.read_table(here / "work" / "manifests" / "features" / "brightness").to_pylist()
    images = pq.read_table(here / "work" / "manifests" / "images").to_pylist()
    assert {row["image_id"] for row in rows} == {image["image_id"] for image in images}
    assert all(0 < row["brightness"] <= 510 for row in rows)
    recipe = json.loads((here / "work" / "prepare.json").read_text())["recipe"]
    assert recipe["features"] == {"brightness": {"scale": 2.0}}


def test_a_change_of_its_section_computes_its_stage_anew_and_no_other(run, here):
    (here / "brighter.yaml").write_text(
        "extends: glad-quick\nname: brighter\nfeatures: {brightness: {scale: 3}}\n"
    )
    output = run("prepare", "brighter.yaml", "--data-root", "data", "--workdir", "work", "--dry-run").stdout
    to_do = [line.split(":")[0].strip() for line in output.splitlines() if "1 of 1 buckets to do" in line]
    assert to_do == ["brightness"]
    (here / "brighter.yaml").write_text(
        "extends: glad-quick\nname: brighter\nfeatures: {brightness: {size: 3}}\n"
    )
    done = run("prepare", "brighter.yaml", "--data-root", "data", "--dry-run", code=3)
    assert "features.brightness.size: Extra inputs are not permitted" in " ".join(done.stderr.split())
    done = run("prepare", "brighter.yaml", "--data-root", "data", "--dry-run", code=3, site="elsewhere")
    assert "no packed recipe of this name" in done.stderr


def test_its_method_is_a_command_and_stands_in_table_2(run):
    assert "by-light" in run("baseline", "--help").stdout
    assert "The class by how bright a picture is." in run("baseline", "by-light", "--help").stdout
    assert "run:" in run("baseline", "by-light", "--workdir", "work").stdout
    assert "run:" in run("baseline", "by-light", "--recipe", "by-much-light", "--workdir", "work").stdout
    assert "| image | By light" in run("report", "--table", "II", "--workdir", "work").stdout


def test_its_table_and_figure_are_made(run, here):
    assert "| runs |" in run("report", "--table", "how-many", "--workdir", "work").stdout
    run("report", "--figure", "a-dot", "--format", "png", "--workdir", "work")
    assert (here / "work" / "reports" / "a-dot.png").read_bytes().startswith(b"\x89PNG")


def test_lists_tell_its_package(run):
    rows = {row["adapter"]: row for row in json.loads(run("datasets", "--json").stdout)}
    assert rows["glad-faces"]["package"] == "stranger 1.2"
    assert rows["glad-faces"]["recipes"] == ["glad-faces", "glad-quick"]
    assert rows["bare-faces"]["recipes"] == ["bare-faces"]
    assert "package" not in rows["jaffe"]
    cards = {card["name"]: card for card in json.loads(run("recipes", "--json").stdout)}
    assert cards["glad-quick"]["package"] == "stranger 1.2"
    assert cards["by-much-light"]["usage"] == "fgbench baseline by-light --recipe by-much-light"
    assert "adapter: bare-faces" in run("recipes", "bare-faces").stdout


def test_each_keeps_its_contract(run):
    names = [f"{kind}/{name}" for kind, named in POINTS.items() for name in named]
    lines = run("check-plugin", *names).stdout.splitlines()
    assert lines == [f"{name} of the package stranger 1.2: ok" for name in names]


def test_a_data_set_without_a_recipe_is_prepared_by_its_card(run):
    output = run("prepare", "bare-faces", "--data-root", "data", "--workdir", "bare", "--dry-run").stdout
    assert "nothing was done (dry run)" in output
    assert "99 entries of 3 subjects" in run("check", "bare-faces", "--root", "data").stdout


def test_help_and_version_run_none_of_it(here):
    (here / "ran").unlink(missing_ok=True)
    for words in (["--help"], ["--version"], ["baseline", "--help"], ["baseline", "by-light", "--help"]):
        assert fgbench(*words, site=here / "site", cwd=here).returncode == 0
    assert not (here / "ran").exists()


BROKEN = {
    "datasets": {"no-card": "no_card", "jaffe": "glad_faces"},
    "detectors": {"odd": "odd", "Bad Name": "odd"},
    "tables": {"raises": "raises", "ends": "ends", "how-many": "how_many"},
    "figures": {"object": "a_dot:draw"},
    "nonsense": {"thing": "odd"},
}
FAULTS = {
    "datasets/no-card": "CARD of broken.no_card is of type dict, expected a fgbench.datasets.Card",
    "datasets/jaffe": "fgbench has one of this name itself",
    "detectors/odd": "broken.odd has no open_detector, expected a function",
    "detectors/Bad Name": "'Bad Name' is no name: expected small letters, digits and single hyphens",
    "tables/raises": "broken.raises cannot be imported (ZeroDivisionError: division by zero)",
    "tables/ends": "broken.ends cannot be imported (SystemExit: 7)",
    "tables/how-many": "the package broken has the name already",
    "figures/object": "its entry point is 'broken.a_dot:draw', expected a module, as 'package.module'",
    "nonsense/thing": "there is no group fgbench.nonsense",
}


@pytest.fixture(scope="module")
def two(here):
    """A folder with the package and with one whose plugins cannot be used, but for a table."""
    modules = {
        "no_card": '"""No card."""\nCARD = {}\n\n\ndef list_clips(root):\n    return []\n',
        "odd": '"""Nothing."""\n',
        "raises": "1 / 0\n",
        "ends": "raise SystemExit(7)\n",
        "glad_faces": MODULES["glad_faces"],
        "how_many": MODULES["how_many"].replace("How many", "Of another"),
        "a_dot": MODULES["a_dot"],
    }
    for package, points, texts in (("broken", BROKEN, modules), ("stranger", POINTS, MODULES)):
        install(here / "two", write_wheel(here, points, texts, package=package))
    return "two"


def test_doctor_tells_why_each_broken_one_is_disabled(run, two):
    report = json.loads(run("doctor", "--json", site=two).stdout)["plugins"]
    for name, fault in FAULTS.items():
        package = "stranger 1.2" if name == "tables/how-many" else "broken 1.2"
        key = "tables/how-many of stranger 1.2" if name == "tables/how-many" else name
        assert report[key].startswith(f"{package}, disabled: {fault}")
    assert report["datasets/glad-faces"] == "stranger 1.2, ok"
    assert report["tables/how-many"] == "broken 1.2, ok"


def test_a_broken_one_disables_only_itself(run, two):
    done = run("datasets", "--json", site=two)
    names = [row["adapter"] for row in json.loads(done.stdout)]
    assert {"jaffe", "glad-faces"} < set(names)
    assert "no-card" not in names
    messages = [line for line in done.stderr.splitlines() if "no-card" in line]
    assert messages == [
        "left out: the dataset no-card of the package broken 1.2 cannot be used: "
        "CARD of broken.no_card is of type dict, expected a fgbench.datasets.Card"
    ]
    done = run("report", "--table", "raises", "--workdir", "work", site=two, code=3)
    assert "the table raises of the package broken 1.2 cannot be used" in " ".join(done.stderr.split())
    done = run("check-plugin", "tables/raises", site=two, code=3)
    assert "ZeroDivisionError" in done.stdout


def test_the_package_of_the_documentation_keeps_its_contract(run, here):
    project = block("docs/extending/index.md", "[build-system]", "toml")
    module = block("docs/extending/datasets.md", '"""Adapter of My Faces')
    points = tomllib.loads(project)["project"]["entry-points"]
    assert points == {"fgbench.datasets": {"my-faces": "my_faces.dataset"}}
    wheel = write_wheel(here, {"datasets": {"my-faces": "dataset"}}, {"dataset": module}, package="my_faces")
    install(here / "pages", wheel)
    assert "ok" in run("check-plugin", "my-faces", site="pages").stdout
    report = json.loads(run("recipes", "my-faces-grouped", "--json", site="pages").stdout)
    assert {key["key"]: key.get("value") for key in report["keys"]}["split.group_by"] == "subject_id"


@pytest.mark.parametrize("way", with_chains(["", "."], "."))
def test_nothing_is_taken_from_the_current_directory(here, tmp_path, way):
    """Also where an empty entry of the path, or a dot, leads there."""
    install(tmp_path / "data", write_wheel(here, POINTS, MODULES, ran=tmp_path / "ran"))
    site = f"{way}{os.pathsep}{tmp_path / 'none'}"
    done = fgbench("doctor", "--json", site=site, cwd=tmp_path / "data")
    report = json.loads(done.stdout)["plugins"]
    assert len(report) == sum(map(len, POINTS.values()))
    assert all("its package lies in the current directory" in state for state in report.values())
    assert all(
        "use fgbench from another folder" in state and "update" not in state for state in report.values()
    )
    code = "from fgbench import plugins; plugins.load('tables', 'how-many')"
    used = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": site},
        cwd=tmp_path / "data",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "PluginError" in used.stderr
    assert "use fgbench from another folder" in used.stderr
    assert "uninstall" not in used.stderr
    for words in (["datasets"], ["recipes"], ["baseline", "--help"], ["check-plugin", "how-many"]):
        fgbench(*words, site=site, cwd=tmp_path / "data")
    assert not (tmp_path / "ran").exists()


def test_nothing_is_taken_from_a_work_folder(here, tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / ".fgbench-work.json").write_text("{}")
    install(tmp_path / "work" / "reports", write_wheel(here, POINTS, MODULES, ran=tmp_path / "ran"))
    done = fgbench("doctor", "--json", site=tmp_path / "work" / "reports", cwd=tmp_path)
    report = json.loads(done.stdout)["plugins"]
    assert all("its package lies in the work folder" in state for state in report.values())
    assert len(report) == sum(map(len, POINTS.values()))
    assert not (tmp_path / "ran").exists()


def test_code_in_the_current_directory_is_not_run_for_a_package_elsewhere(here, tmp_path):
    install(tmp_path / "site", write_wheel(here, POINTS, MODULES))
    (tmp_path / "data" / "stranger").mkdir(parents=True)
    (tmp_path / "data" / "stranger" / "__init__.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a')\n")
    site = f"{os.pathsep}{tmp_path / 'site'}"
    report = json.loads(fgbench("doctor", "--json", site=site, cwd=tmp_path / "data").stdout)["plugins"]
    assert all("its code lies in the current directory" in state for state in report.values())
    assert not (tmp_path / "ran").exists()
