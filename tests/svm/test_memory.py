"""Memory of kernels: planned before it is taken, one matrix at a time, limits of the system read."""

import resource
import tracemalloc

import numpy as np
import pytest

from fgbench.errors import ResourceError
from fgbench.svm import grams
from fgbench.svm.choice import Candidate, select
from fgbench.svm.grams import linear_gram, rbf_gram, squared_distances
from fgbench.svm.memory import available_bytes, require_memory
from fgbench.svm.one_vs_rest import bytes_needed

N, M, CLASSES = 1200, 20, 3


def test_more_than_is_there_is_refused_in_numbers():
    require_memory(100, what="the kernel", hint="take less", available=100)
    with pytest.raises(ResourceError) as caught:
        require_memory(26 * 10**9, what="the kernel of n = 57122", hint="leave out copies", available=10**9)
    assert "57122" in caught.value.message
    assert "26.0 GB" in caught.value.message
    assert "(26000000000 bytes)" in caught.value.message
    assert "1.0 GB" in caught.value.message
    assert caught.value.hint == "leave out copies"


def test_the_plan_of_a_data_set_of_the_size_of_fer2013():
    """57,122 pictures: 8 bytes per pair are 26 GB, and little else."""
    assert 26.1e9 < bytes_needed(57122, 3589, 7, jobs=2) < 29e9
    assert bytes_needed(28561, 3589, 7, jobs=2) < 8.5e9


@pytest.mark.slow
def test_one_kernel_is_held_at_a_time(monkeypatch):
    monkeypatch.setattr(grams, "_TILE", 64)  # of a small kernel too, tiles are small
    generator = np.random.default_rng(0)
    x, y = (generator.normal(0, 1, (n, 6)).astype(np.float32) for n in (N, M))
    candidates = [
        Candidate({"kernel": "linear"}, lambda: linear_gram(x, dtype="float64"), lambda: linear_gram(y, x)),
        *(
            Candidate(
                {"kernel": "rbf", "gamma": gamma},
                lambda gamma=gamma: rbf_gram(squared_distances(x, dtype="float64"), gamma, in_place=True),
                lambda gamma=gamma: rbf_gram(squared_distances(y, x), gamma),
            )
            for gamma in (0.1, 0.2)
        ),
    ]
    truth = [np.arange(n) % CLASSES for n in (N, M)]
    select(candidates[:1], *truth, labels="abc", c_values=[1.0], jobs=1)  # imports are not counted
    tracemalloc.start()
    try:
        select(candidates, *truth, labels="abc", c_values=[1.0], jobs=1)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 8 * N * N <= peak < 11 * N * N


def system(root, *, free_kb=1000, groups="", files=()):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: 9999 kB\nMemAvailable:   {free_kb} kB\n")
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files:
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_memory_of_the_machine_is_read(tmp_path):
    assert available_bytes(system(tmp_path)) == 1000 * 1024


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        (
            "0::/a/b\n",
            [
                ("a/memory.max", "5000"),
                ("a/memory.current", "3000"),
                ("a/memory.stat", "anon 1\ninactive_file 500\n"),
                ("a/b/memory.max", "max"),
                ("a/b/memory.current", "9"),
            ],
            2500,
        ),
        ("0::/\n", [("memory.max", "700"), ("memory.current", "900")], 0),
        (
            "5:cpu,memory:/job\n1:name=x:/\n",
            [("memory/job/memory.limit_in_bytes", "800"), ("memory/job/memory.usage_in_bytes", "300")],
            500,
        ),
        (
            "5:memory:/host/path\n",
            [("memory/memory.limit_in_bytes", "900"), ("memory/memory.usage_in_bytes", "300")],
            600,
        ),
        (
            "5:memory:/\n",
            [
                ("memory/memory.limit_in_bytes", str(2**63 - 4096)),
                ("memory/memory.usage_in_bytes", "300"),
            ],
            1000 * 1024,
        ),
    ],
)
def test_limits_of_control_groups_are_read(tmp_path, groups, files, expected):
    assert available_bytes(system(tmp_path, groups=groups, files=files)) == expected


def test_the_limit_of_the_process_is_read(tmp_path, monkeypatch):
    root = system(tmp_path)
    (root / "proc/self/statm").write_text("10 5 2 1 0 3 0\n")
    monkeypatch.setattr(resource, "getrlimit", lambda which: (10 * resource.getpagesize() + 123, -1))
    assert available_bytes(root) == 123
