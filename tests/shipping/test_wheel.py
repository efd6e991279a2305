"""What is shipped: the built packages hold all that is needed, and work where nothing else is installed."""

import email
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.linked_environment import LinkedEnvironment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def run(*words, cwd=None):
    return subprocess.run(
        list(map(str, words)), cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )


def tracked():
    """Files of the tree that git knows, as paths with ``/``."""
    done = run("git", "ls-files", "-z", cwd=ROOT)
    if done.returncode:
        pytest.skip("the tree is no clone of git, which would tell its files")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """A copy of what git knows: the tree may hold a user's data."""
    folder = tmp_path_factory.mktemp("source")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())
    return folder


@pytest.fixture(scope="module")
def built(source, tmp_path_factory):
    """Folder with the sdist and the wheel that was made from it."""
    folder = tmp_path_factory.mktemp("built")
    done = run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built):
    (path,) = built.glob("*.whl")
    return path


def contents(wheel):
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_packages_pass_the_check_of_indexes(built):
    done = run(sys.executable, "-m", "twine", "check", "--strict", *sorted(built.iterdir()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_of_the_sdist_is_that_of_the_tree(source, wheel, tmp_path):
    done = run(sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", tmp_path, source)
    assert done.returncode == 0, done.stdout + done.stderr
    (other,) = tmp_path.glob("*.whl")
    assert contents(other) == contents(wheel)


def test_every_file_that_is_needed_to_run_is_in_the_wheel(wheel):
    """All of the package, and the recipes and tables beside it, byte by byte."""
    expected = {}
    for name in tracked():
        top = name.partition("/")[0]
        if top in ("fgbench", "pipelines", "manifests"):
            expected[name if top == "fgbench" else f"fgbench/_data/{name}"] = (ROOT / name).read_bytes()
    held = {name: data for name, data in contents(wheel).items() if ".dist-info/" not in name}
    assert sorted(held) == sorted(expected)
    assert held == expected
    kinds = {Path(name).suffix for name in held}
    assert {".py", ".pyi", ".yaml", ".csv", ".html", ".js", ".css"} <= kinds
    assert "fgbench/py.typed" in held


def test_its_metadata_are_complete(wheel):
    files = contents(wheel)
    (name,) = (name for name in files if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(files[name])
    assert metadata["License-Expression"] == "Apache-2.0"
    assert metadata["License-File"] == "LICENSE"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_payload().strip().startswith("# fgbench")
    assert {"train", "export", "trackers"} <= set(metadata.get_all("Provides-Extra"))
    classifiers = metadata.get_all("Classifier")
    assert "Typing :: Typed" in classifiers
    assert "Operating System :: POSIX :: Linux" in classifiers
    assert files[name.replace("METADATA", "entry_points.txt")].decode().split() == [
        "[console_scripts]",
        "fgbench",
        "=",
        "fgbench.cli.entry:main",
    ]


def test_the_sdist_holds_what_builds_and_tests_it(built):
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    for name in (
        "LICENSE",
        "README.md",
        "CHANGELOG.md",
        "CITATION.cff",
        "constraints.txt",
        "Makefile",
        "tests",
    ):
        assert name in names or any(each.startswith(f"{name}/") for each in names), name


class Bare(LinkedEnvironment):
    """An environment with nothing but what its wheel asks for, and a folder to work in."""

    def __init__(self, folder, wheel):
        super().__init__(folder / "env", wheel)
        self.work = folder / "work"
        self.work.mkdir()

    def fgbench(self, *words, code=0):
        done = run(self.bin / "fgbench", *words, cwd=self.work)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def prepare(self):
        """Again, it changes nothing."""
        self.fgbench("prepare", "--data-root", "data", "--workdir", "w", "--jobs", "2", "--set", "buckets=4")


@pytest.fixture(scope="module")
def bare(tmp_path_factory, wheel):
    """The core alone; the tests after it add extras."""
    made = Bare(tmp_path_factory.mktemp("bare"), wheel)
    few = ("--clips-per-class", "4", "--subjects", "4", "--size", "320x240")
    made.fgbench("synth", "data", "--control", "motion", *few)
    return made


@pytest.mark.timeout(1800)
class TestOfAnEnvironmentOfItsOwn:
    """In this order: core, then what trains, then what exports."""

    def test_both_ways_to_start_it_are_there(self, bare):
        told = bare.fgbench("--version").stdout
        assert told == run(bare.bin / "python", "-m", "fgbench", "--version", cwd=bare.work).stdout
        assert told.startswith("fgbench ")

    def test_the_core_needs_no_torch(self, bare):
        assert run(bare.bin / "python", "-c", "import torch").returncode == 1
        bare.fgbench("doctor")
        assert "lbp-svm" in bare.fgbench("recipes").stdout
        bare.prepare()
        bare.fgbench("baseline", "lbp-svm", "--workdir", "w", "--jobs", "2")
        bare.fgbench("report", "--table", "III", "--workdir", "w")
        bare.fgbench("report", "--html", "--workdir", "w")
        assert (bare.work / "w" / "reports" / "report.html").stat().st_size > 100_000

    @pytest.mark.parametrize(
        "words",
        [
            ["demo"],
            ["train", "msau"],
            ["train", "au"],
            ["baseline", "plain-cnn"],
            ["evaluate", "msau"],
            ["predict", "msau", "face.png"],
            ["export", "msau", "--onnx", "net.onnx"],
        ],
    )
    def test_what_needs_torch_says_how_to_get_it(self, bare, words):
        done = bare.fgbench(*words, code=9)
        (error,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
        assert "torch" in error
        assert "pip install 'fgbench[train]'" in done.stderr

    @pytest.mark.chain
    def test_with_train_it_trains_and_with_export_it_exports(self, bare):
        bare.prepare()
        bare.add("train")
        words = (
            "--workdir",
            "w",
            "--device",
            "cpu",
            "--set",
            "optimiser.epochs=1",
            "--recipe",
            "plain-cnn-small",
        )
        bare.fgbench("baseline", "plain-cnn", *words)
        assert (bare.work / "w" / "runs" / "plain-cnn-small" / "0" / "0" / "weights.safetensors").is_file()
        done = bare.fgbench("export", "plain-cnn-small", "--workdir", "w", "--onnx", "net.onnx", code=9)
        assert "pip install 'fgbench[export]'" in done.stderr
        bare.add("export")
        bare.fgbench("export", "plain-cnn-small", "--workdir", "w", "--onnx", "net.onnx")
        assert (bare.work / "net.onnx").stat().st_size > 10_000
