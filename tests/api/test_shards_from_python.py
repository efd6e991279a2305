"""Shards from Python and as commands: the same call for each share, and the tables after the last."""

import json

import pytest
import yaml
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.errors import ManifestError, ShardError
from tests.support.plain_data import recipe, write_plain_data


@pytest.mark.slow
def test_the_tables_are_there_after_the_last_shard_that_is_made(tmp_path):
    root, saved, work = write_plain_data(tmp_path / "data", 4), tmp_path / "plain.yaml", tmp_path / "work"
    saved.write_text(yaml.safe_dump(recipe(buckets=2).model_dump(mode="json", exclude_defaults=True)))
    given = {"workdir": work, "jobs": 1, "shard_wait_s": 0, "progress": False}
    with pytest.raises(ShardError, match="none is at work: 2/2"):
        fgbench.prepare(root, saved, shard="1/2", **given)
    with pytest.raises(ManifestError):
        fgbench.open(work).clips  # noqa: B018 - reading it is what fails
    command = ["prepare", str(saved), "--data-root", str(root), "--workdir", str(work), "--shard-wait", "0"]
    outcomes = [CliRunner().invoke(app, [*command, "--shard", f"{number}/2"]) for number in (2, 1, 2)]
    assert outcomes[0].exit_code == 12
    last = CliRunner().invoke(app, [*command, "--shard", "1/2", "--json"])
    assert json.loads(last.stdout)["shard"] == ""
    assert len(fgbench.prepare(root, saved, shard="2/2", **given).clips) == 4


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--shard", "0/2"], "K from 1 to N"),
        (["--shard", "1/2", "--dry-run"], "about all clips"),
        (["--shard", "1/2", "--prune"], "about all clips"),
    ],
)
def test_wrong_shards_are_wrong_use(tmp_path, options, said):
    done = CliRunner().invoke(app, ["prepare", "--data-root", str(tmp_path), *options])
    assert done.exit_code == 2
    assert said in " ".join(done.output.replace("│", " ").split())
