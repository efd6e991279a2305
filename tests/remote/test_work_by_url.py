"""Work folders in a storage, named by their URL in commands and in Python."""

import shutil

import pytest

import fgbench
from fgbench.errors import ConfigError, ManifestError
from fgbench.remote.copy_folders import copy_at
from tests.support.command_line import in_folder

pytestmark = pytest.mark.slow


def test_a_folder_of_others_is_refused_and_left_as_it_is(bucket, machines):
    bucket.put("made/work/photos/holiday.jpg", b"mine")
    with pytest.raises(ConfigError, match=r"no work folder of fgbench, and not empty.*photos/holiday\.jpg"):
        machines[0].prepare()
    assert bucket.objects("made/") == {"made/work/photos/holiday.jpg": b"mine"}


def test_commands_read_it_by_its_url_and_say_where_results_go(bucket, machines, data, tmp_path):
    url, work = machines[0].data, machines[0].work
    options = [f"--set={text}" for text in ("faces.align=never", "lbp.enabled=false", "buckets=2")]
    done = in_folder(tmp_path, "prepare", "--data-root", url, "--workdir", work, *options)
    assert done.exit_code == 0, done.output
    assert f"work folder {work}" in done.output
    assert f"fgbench audit {work}" in done.output
    status = in_folder(tmp_path, "status", work)
    assert status.exit_code == 0, status.output
    for name in ("elsewhere", "third"):
        (tmp_path / name).mkdir()
    away = in_folder(tmp_path / "elsewhere", "check", work)
    assert away.exit_code == 0, away.output
    deep = in_folder(tmp_path / "elsewhere", "check", work, "--deep")
    assert deep.exit_code == 0, deep.output
    dry = in_folder(
        tmp_path / "third", "prepare", "--data-root", url, "--workdir", work, "--dry-run", *options
    )
    assert dry.exit_code == 0, dry.output
    nothing = in_folder(tmp_path, "status", f"s3://{bucket.name}/nothing")
    assert nothing.exit_code == 7
    assert "has no file, expected a work folder" in nothing.output
    shard = in_folder(tmp_path, "prepare", "--data-root", url, "--workdir", work, "--shard", "1/2", *options)
    assert shard.exit_code == 3
    assert "shards share a folder" in shard.output


def test_python_opens_it_by_its_url(bucket, machines, monkeypatch, tmp_path):
    machines[0].prepare()
    monkeypatch.chdir(tmp_path)
    work = fgbench.open(machines[0].work)
    assert len(work.clips) == 4
    assert len(work.faces("train")) > 0
    assert copy_at(work.path).url == machines[0].work
    with pytest.raises(ManifestError, match="has no file"):
        fgbench.open(f"s3://{bucket.name}/nothing")
    with pytest.raises(ConfigError, match="which is only read"):
        fgbench.prepare(machines[0].data, workdir="hf://datasets/me/work")


def test_another_machine_finds_the_data_by_their_url(bucket, machines, tmp_path, monkeypatch):
    """The folder of the mirror, which ``prepare.json`` names, is on the first machine alone."""
    one, _ = machines
    one.prepare()
    shutil.rmtree(one.folder)
    (tmp_path / "two").mkdir()
    monkeypatch.chdir(tmp_path / "two")
    status = in_folder(tmp_path / "two", "status", one.work)
    assert status.exit_code == 0, status.output
    repaired = in_folder(tmp_path / "two", "check", "--repair", one.work)
    assert repaired.exit_code == 0, repaired.output


@pytest.mark.parametrize("work", ["clips", "clips/work", "", "clips/videos"])
def test_a_work_folder_in_the_data_or_around_them_is_refused(bucket, machines, work):
    one, _ = machines
    one.work = f"s3://{bucket.name}/{work}".rstrip("/")
    before = bucket.objects("")
    with pytest.raises(ConfigError, match="are one folder, or one lies in the other"):
        one.prepare()
    assert bucket.objects("") == before


def test_a_scheme_alone_is_no_folder(tmp_path):
    for text in ("s3://", "S3:/", "s3:"):
        done = in_folder(tmp_path, "prepare", "--workdir", text)
        assert done.exit_code == 3, text
        assert "names no folder of a storage" in done.output
    assert not list(tmp_path.iterdir())
