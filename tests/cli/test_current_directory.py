"""Data lie in the current directory, and maybe files of others: none is run, none sets how figures look."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.clip_folders import write_folder

pytestmark = pytest.mark.slow

MODULES = (
    *("multiprocessing", "contextlib", "warnings", "signal", "struct", "numpy", "cv2", "av", "pyarrow"),
    *("typer", "yaml", "fgbench", "matplotlib", "sitecustomize", "usercustomize"),
)
COMMAND = Path(sys.executable).parent / "fgbench"


@pytest.fixture
def planted(tmp_path):
    """A folder of clips with modules that leave a file when they are run."""
    write_folder(tmp_path / "clips", 4)
    (tmp_path / "plain.yaml").write_text("name: plain\nbuckets: 2\nfaces: {align: never}\n")
    for name in MODULES:
        path = tmp_path / f"{name}.py"
        path.write_text(f"import sys\nopen({str(tmp_path / 'ran')!r}, 'a').write({name!r})\nsys.exit(99)\n")
    return tmp_path


def run(*command, cwd):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    return subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("start", [[COMMAND], [sys.executable, "-P", "-m", "fgbench"]], ids=["command", "-P"])
def test_nothing_is_imported_from_there(planted, start):
    done = run(*start, "prepare", "plain.yaml", "--data-root", "clips", "--jobs", 2, cwd=planted)
    assert not (planted / "ran").exists(), (planted / "ran").read_text()
    assert done.returncode == 0, done.stderr


def test_as_a_module_what_fgbench_imports_is_not_from_there(planted):
    """The few modules by which Python starts a module are beyond reach."""
    for name in ("contextlib", "warnings", "signal", "struct", "fgbench"):
        (planted / f"{name}.py").unlink()
    done = run(
        *(sys.executable, "-m", "fgbench", "prepare", "plain.yaml", "--data-root", "clips", "--jobs", 2),
        cwd=planted,
    )
    assert not (planted / "ran").exists(), (planted / "ran").read_text()
    assert done.returncode == 0, done.stderr


DRAW = """
from hashlib import sha256
from fgbench.reports.rendering.drawing_style import canvas, heading, own_style
from fgbench.reports.rendering.drawings import picture

@own_style()
def draw():
    drawing = canvas(6, 3, dpi=100)
    axes = drawing.subplots()
    axes.plot([1, 2], label="costs $2")
    axes.legend()
    heading(drawing, "costs $1 and $\\\\frac")
    return drawing

for kind in ("png", "pdf", "svg"):
    print(sha256(picture(draw(), kind)).hexdigest())
"""


def test_matplotlibrc_changes_no_figure(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "matplotlibrc").write_text(
        "font.size: 40\nfont.family: monospace\ntext.usetex: True\nsavefig.dpi: 17\nsvg.fonttype: none\n"
        "axes.titlesize: 40\nbackend: module://evil\nfigure.dpi: 9\n"
    )
    (tmp_path / "bare").mkdir()
    (tmp_path / "draw.py").write_text(DRAW)
    reported = [
        run(sys.executable, tmp_path / "draw.py", cwd=tmp_path / folder) for folder in ("bare", "set")
    ]
    assert [done.returncode for done in reported] == [0, 0], reported[1].stderr
    assert reported[0].stdout == reported[1].stdout
