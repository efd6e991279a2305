"""A folder that is not there, a name misspelt mostly, is told as that, and nothing is written."""

import pytest
from typer.testing import CliRunner

from fgbench.audit.leaks import open_folder
from fgbench.cli.app import app
from fgbench.errors import ManifestError

THERE_IS_NONE = "no complete manifests in wrok/manifests: there is no folder wrok"


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (["publish", "wrok", "out", "--without-pixels"], 7, THERE_IS_NONE),
        (["export", "faces", "out", "--format", "openface", "--workdir", "wrok"], 7, THERE_IS_NONE),
        (["score", "said.csv", "--workdir", "wrok"], 7, "(no prepare.json): there is no such folder"),
        (["check", "wrok"], 7, THERE_IS_NONE),
        (["rebuild", "wrok", "--data-root", "."], 7, "wrok is no publication (there is no such folder)"),
        (["diff", "wrok", "."], 7, "nor a publication (there is no such folder)"),
        (["push", "wrok", "me/clips"], 3, "wrok is not there: expected a folder that fgbench publish"),
    ],
)
def test_a_folder_that_is_not_there_is_told_as_that(tmp_path, monkeypatch, words, code, told):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    (tmp_path / "said.csv").write_text("clip,label\na,joy\n")
    done = CliRunner().invoke(app, words)
    said = " ".join(done.stderr.split())
    assert done.exit_code == code, done.output
    assert told in said
    assert "it continues where it was" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["said.csv"]


def test_a_folder_without_manifests_is_to_be_continued(tmp_path):
    with pytest.raises(ManifestError, match=r"no complete manifests in .* \(no index.json\)") as told:
        open_folder(tmp_path)
    assert "continues where it was" in told.value.hint
    with pytest.raises(ManifestError, match=r"there is no folder .*wrok") as told:
        open_folder(tmp_path / "wrok")
    assert (
        told.value.hint
        == "name a work folder that is there, or run fgbench prepare --data-root DIR to make one"
    )
