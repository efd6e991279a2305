"""Methods give the same predictions, to the last bit, whatever ``OMP_NUM_THREADS`` says."""

import json
import os
import subprocess
import sys

import pytest

from fgbench.runs.results import read_result
from tests.support.run_contexts import run_context
from tests.support.striped_manifests import manifests

RUN = """
import json, sys
from pathlib import Path

folder, manifests = Path(sys.argv[1]), Path(sys.argv[2])
from tests.support.run_contexts import run_context
from fgbench.methods.lbp_svm import method as lbp_svm
from fgbench.config import LbpSvmConfig, load_baseline
from fgbench.runs.results import read_result

changes = {"c_values": (1.0,), "gamma_factors": (1.0,)}
config = load_baseline("lbp-svm", LbpSvmConfig).model_copy(update=changes)
run = lbp_svm.run(config, run_context(manifests, folder / "svm"))
print(json.dumps(read_result(run)["predictions_sha256"]))

from tests.support.tiny_work import context_in, plain_recipe, small_work
from fgbench.methods.msau import run as image_run
from fgbench.files.hashing import digest_file
from fgbench.training.device import resolve

recipe = plain_recipe(name="plain-cnn", optimiser={"kind": "adamw", "batch": 14, "epochs": 1})
context = context_in(folder / "cnn", small_work(folder), device=resolve("cpu"))
(run,) = image_run.run(recipe, context, None)
print(json.dumps([read_result(run)["predictions_sha256"], digest_file(run / "weights.safetensors")]))
"""


@pytest.mark.slow
def test_threads_change_no_bit(tmp_path):
    made_up = manifests(tmp_path / "manifests")
    actual = []
    for threads in ("1", "2"):
        folder = tmp_path / threads
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(folder), str(made_up)],
            env=os.environ | {"OMP_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        actual.append([json.loads(line) for line in done.stdout.splitlines()])
    assert actual[0] == actual[1]
    assert len(actual[0]) == 2
    assert read_result(run_context(made_up, tmp_path / "1" / "svm").folder("lbp-svm"))["device"] == "cpu"
