"""The page keeps to itself: names that look like markup, what is fetched, drawn data, damaged runs."""

import base64
import hashlib
import json
import re
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.errors import ManifestError
from fgbench.reports.page.build import build_page, write_page
from fgbench.reports.rendering.embedding import embedded_json
from tests.support.page_folders import HOSTILE, hostile_work, write_data
from tests.support.page_reading import Elements, blocks
from tests.support.report_folders import write_fake_run


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("safe")
    test = write_data(work, clips={"test": 33}, images_per_clip=1, copies={}, n_faces=3)
    write_fake_run(work, "lbp-svm", method=None, shown=test["image"])
    return work


@pytest.fixture(scope="module")
def page(work):
    return build_page(work)


@pytest.fixture(scope="module")
def data(page):
    return blocks(page)


@pytest.mark.slow
def test_synthetic_data_are_said_to_be(page, data, tmp_path):
    assert "(SYNTHETIC data)" in re.search("<title>(.*)</title>", page)[1]
    assert data["overview"]["synthetic"] is True
    assert all(entry["synthetic"] for entry in data["overview"]["runs"])
    test = write_data(tmp_path, clips={"test": 33}, images_per_clip=1, copies={}, synthetic=False, n_faces=3)
    write_fake_run(tmp_path, "lbp-svm", method=None, shown=test["image"], details={"synthetic": False})
    real = build_page(tmp_path)
    assert "SYNTHETIC" not in re.search("<title>(.*)</title>", real)[1]
    actual = blocks(real)["overview"]
    assert (actual["synthetic"], actual["runs"][0]["synthetic"]) == (False, False)


@pytest.mark.slow
def test_nothing_is_fetched_and_only_these_scripts_run(page):
    elements = Elements(page)
    policy = next(
        a["content"] for tag, a in elements.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy
    assert not [a for tag, a in elements.tags if tag == "link" or "src" in a]
    assert not re.search(r"@import|url\(\s*['\"]?http", re.search("<style>(.*?)</style>", page, re.S)[1])
    scripts = re.findall("<script>(.*?)</script>", page, re.S)
    digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in scripts]
    assert len(scripts) == 2
    assert re.search("script-src (.*)$", policy)[1].split() == [f"'sha256-{digest}'" for digest in digests]


@pytest.mark.slow
def test_names_like_markup_are_data(tmp_path):
    page = build_page(hostile_work(tmp_path))
    assert "<img src=x" not in page
    assert "window.hacked = 1</script>" not in page
    elements = Elements(page)
    assert [tag for tag, attributes in elements.tags if tag == "script" and not attributes] == ["script"] * 2
    actual = blocks(page)
    assert actual["overview"]["runs"][0]["dataset"] == HOSTILE
    assert actual["samples-0"]["ids"][0] == f"0 {HOSTILE}"


def test_embedded_json_has_no_markup_and_short_numbers():
    text = embedded_json({"a": "<!--<script>", "b": [1 / 3, 2, None, True]})
    assert text == '{"a":"\\u003c!--\\u003cscript>","b":[0.333333,2,null,true]}'
    assert json.loads(text) == {"a": "<!--<script>", "b": [0.333333, 2, None, True]}
    with pytest.raises(ValueError, match="JSON"):
        embedded_json(float("nan"))


def test_equal_folders_give_equal_bytes(work, page):
    assert build_page(work) == page


@pytest.mark.slow
def test_damaged_and_unfinished_runs_are_listed_not_shown(tmp_path):
    test = write_data(tmp_path, clips={"test": 33}, images_per_clip=1, copies={}, n_faces=2)
    write_fake_run(tmp_path, "good", method=None, shown=test["image"])
    bad = write_fake_run(tmp_path, "bad", method=None, shown=test["image"])
    (bad / "predictions.parquet").write_bytes(b"no table")
    (tmp_path / "runs" / "begun" / "0" / "3").mkdir(parents=True)
    actual = blocks(build_page(tmp_path))["overview"]
    assert [entry["key"] for entry in actual["runs"]] == ["good/0/0"]
    assert [key for key, _ in actual["faults"]] == ["bad/0/0", "begun/0/3"]
    assert "not the file" in actual["faults"][0][1]


def test_without_runs_there_is_a_page_and_without_manifests_a_clear_error(tmp_path):
    write_data(tmp_path / "work", clips={"test": 33}, images_per_clip=1, copies={}, n_faces=2)
    size = write_page(tmp_path / "work", tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size == size
    with pytest.raises(ManifestError, match="no complete manifests"):
        build_page(tmp_path / "nothing")


@pytest.mark.slow
def test_the_command_tells_where_the_page_lies_and_how_large_it_is(work, tmp_path):
    runner = CliRunner()
    output = runner.invoke(
        app, ["report", "--html", "--workdir", str(work), "--out", str(tmp_path / "a.html")]
    )
    size = (tmp_path / "a.html").stat().st_size
    assert output.exit_code == 0
    assert f"wrote {tmp_path / 'a.html'} ({size / 1e6:.1f} MB)" in output.stdout
    runner.invoke(app, ["report", "--html", "--workdir", str(work), "--out", str(tmp_path)])
    runner.invoke(app, ["report", "--html", "--workdir", str(work)])
    for path in (tmp_path / "report.html", work / "reports" / "report.html"):
        assert path.read_bytes() == (tmp_path / "a.html").read_bytes()
    twice = runner.invoke(app, ["report", "--html", "--workdir", str(work), "--workdir", str(tmp_path)])
    assert (twice.exit_code, "one work folder" in twice.output) == (2, True)


@pytest.mark.slow
def test_a_page_is_made_without_torch():
    code = "import sys\nimport fgbench.reports.page.build\nassert 'torch' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
