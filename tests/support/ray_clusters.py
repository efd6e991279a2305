"""Clusters of Ray on this machine whose nodes vanish while a preparation is at work."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def three_machines() -> Iterator[Any]:
    """Three machines of one core each, with the environment of now; the first holds the cluster together."""
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    try:
        for _ in range(2):
            cluster.add_node(num_cpus=1)
        cluster.wait_for_nodes()
        yield cluster
    finally:
        cluster.shutdown()


def prepare_while_machines_vanish(
    cluster: Any, arguments: Sequence[object], folder: Path, *, finished: str, kills: int
) -> None:
    """Run ``fgbench prepare`` on a cluster, and exchange a machine at random moments once work is finished.

    Args:
        cluster: The cluster.
        arguments: Arguments of the command.
        folder: Its current folder.
        finished: Pattern of files below the folder that tell of finished work.
        kills: Machines to exchange.
    """
    command = [sys.executable, "-P", "-m", "fgbench", "prepare", *map(str, arguments)]
    command += ["--engine", "ray", "--address", cluster.address, "--json"]
    output = folder / "output.json"
    with output.open("wb") as file:
        running = subprocess.Popen(command, cwd=folder, stdout=file)
    chosen, done = random.Random(3), 0
    while running.poll() is None:
        if done < kills and any(folder.glob(finished)):
            victim = min(cluster.worker_nodes, key=lambda node: node.node_id)
            cluster.remove_node(victim, allow_graceful=False)
            cluster.add_node(num_cpus=1)
            done += 1
        time.sleep(chosen.uniform(0.1, 1.0))
    assert running.returncode == 0
    assert done
    assert json.loads(output.read_text(encoding="utf-8"))["published"], "and nothing of Ray's stands there"
