"""The engine ``ray`` with data and work folder in a storage of which one request in twenty fails."""

import pytest
import yaml

from fgbench.preparation import prepare
from tests.support.clip_folders import contents
from tests.support.faulty_proxy import faulty
from tests.support.plain_data import recipe, write_plain_data
from tests.support.ray_clusters import prepare_while_machines_vanish, three_machines
from tests.support.remote_work import at
from tests.support.s3_server import Bucket, s3_server

pytest.importorskip("ray", reason="Ray is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.chain]

FAULTS = ("503", "reset", "429", "500")
KILLS = 2


def test_machines_that_vanish_and_requests_that_fail_change_no_byte(tmp_path, monkeypatch):
    root = write_plain_data(tmp_path / "clips", n_clips=8)
    config = recipe(buckets=8)
    prepare.run(config, root, tmp_path / "alone")
    expected = contents(tmp_path / "alone" / "manifests")
    (tmp_path / "plain.yaml").write_text(
        yaml.safe_dump(config.model_dump(mode="json", exclude_defaults=True)), encoding="utf-8"
    )
    failed = []

    def plan(number, method, path):
        if number % 20 != 7:
            return ""
        failed.append(method)
        return FAULTS[number // 20 % len(FAULTS)]

    with s3_server() as address:
        bucket = Bucket(address)
        url = bucket.upload(root, "clips")
        with faulty(address, plan) as broken:
            at(broken, monkeypatch)
            with three_machines() as cluster:
                prepare_while_machines_vanish(
                    cluster,
                    ["plain.yaml", "--data-root", url, "--workdir", f"s3://{bucket.name}/work"],
                    tmp_path,
                    finished="fgbench-data/copies/*/data/work/stages/*/*.json",
                    kills=KILLS,
                )
        begin = "work/manifests/"
        made = {name.removeprefix(begin): data for name, data in bucket.objects(begin).items()}
    assert len(failed) > 5
    assert {name: data for name, data in made.items() if name != "index.json"} == {
        name: data for name, data in expected.items() if name != "index.json"
    }
