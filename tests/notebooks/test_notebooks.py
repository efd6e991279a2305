"""The notebooks of ``docs/notebooks``: run as users run them, and kept without what they showed."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.util import run_sync

import fgbench

FOLDER = Path(__file__).parents[2] / "docs" / "notebooks"
NAMES = ("own_clips", "own_method", "score_a_tool")
PACKAGES = {"fgbench", "numpy", "pandas", "torch", *sys.stdlib_module_names}
MOST_LINES = 60

TOLD = {
    "own_clips": """{
        "clips": len(work.clips), "people": sorted(set(work.clips_in("test")["subject_id"])),
        "labels": run.predictions["label"].tolist(), "predicted": run.predictions["predicted"].tolist(),
        "columns": list(scores.frame), "row": scores.frame.iloc[0].to_dict(), "notes": scores.notes,
        "title": scores.title,
    }""",
    "own_method": """{
        "methods": table.frame[table.frame["Of"] == "this data set"]["Method"].tolist(),
        "mean": rows.loc["Tiny net", "Mean"], "uar": run.scores.loc["uar", "mean"],
        "samples": int(rows.loc["Tiny net", "Test samples"]), "title": table.title,
        "label": prediction.label, "sum": sum(prediction.probabilities.values()),
        "learnt": len(run.predictions), "classes": list(work.classes),
    }""",
    "score_a_tool": """{
        "runs": scores.frame["Run"].tolist(), "uar": dict(zip(scores.frame["Run"], scores.frame["UAR"])),
        "right": sum(tool["label"].map({b: a for a, b in called.items()}) == pictures["label"].iloc[3:]),
        "counted": int(sum(run.confusion.loc[name, name] for name in called)),
        "missing": int(run.confusion["no prediction"].sum()),
        "difference": comparison.difference, "low": comparison.low, "high": comparison.high,
        "units": found.scores["f1"].to_dict(), "notes": scores.notes,
    }""",
}
"""Results that a notebook ends with, as an expression of its names."""


def read(name):
    return nbformat.read(FOLDER / f"{name}.ipynb", as_version=4)


def code_cells(name):
    return [cell.source for cell in read(name).cells if cell.cell_type == "code"]


class OwnKernel(AsyncKernelManager):
    """The kernel of the interpreter that runs the tests, whatever others are installed."""

    @property
    def kernel_spec(self):
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        return KernelSpec(argv=command, display_name="tests", language="python")


def executed(name, folder):
    """A notebook that has run in a folder, and the results that it ended with."""
    book = read(name)
    book.cells.append(
        nbformat.v4.new_code_cell(f"import json\nprint(json.dumps({TOLD[name]}, default=float))")
    )
    kernel = OwnKernel(transport="ipc", ip=str(folder / "kernel"))
    client = NotebookClient(book, timeout=1200, km=kernel, resources={"metadata": {"path": str(folder)}})
    try:
        client.execute()
    finally:
        run_sync(kernel.shutdown_kernel)(now=True)
    return book, json.loads(book.cells[-1].outputs[-1].text)


def shown(book, kind):
    """What the cells showed, of a MIME type."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    return [output.data[kind] for output in outputs if kind in output.get("data", ())]


def check_looks(book):
    """Bars in HTML, nothing on the error stream."""
    outputs = [output for cell in book.cells for output in cell.get("outputs", ())]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert any("<progress" in html for html in shown(book, "text/html"))
    assert any("SYNTHETIC" in html for html in shown(book, "text/html"))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_own_clips_end_in_a_table_with_intervals(tmp_path):
    book, told = executed("own_clips", tmp_path)
    check_looks(book)
    assert told["clips"] == 80
    assert len(told["people"]) == 5
    labels, predicted = told["labels"], told["predicted"]
    recalls = [
        sum(a == b == name for a, b in zip(labels, predicted, strict=True)) / labels.count(name)
        for name in sorted(set(labels))
    ]
    assert told["row"]["UAR"] == pytest.approx(sum(recalls) / 4)
    assert told["row"]["UAR from"] < told["row"]["UAR"] < told["row"]["UAR to"]
    assert told["row"]["UAR"] > 0.4  # chance is 0.25
    assert told["row"]["Run"] == "lbp-svm"
    assert "SYNTHETIC" in told["title"]
    assert any("5 subjects" in note for note in told["notes"])
    assert any("data:image/png" in html for html in shown(book, "text/html"))  # the confusions


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_an_own_network_stands_in_table_two(tmp_path):
    book, told = executed("own_method", tmp_path)
    check_looks(book)
    assert told["methods"][-1] == "Tiny net"
    assert told["mean"] == pytest.approx(told["uar"])
    assert told["samples"] == told["learnt"] == 99
    assert len(told["classes"]) == 33
    assert told["label"] in told["classes"]
    assert told["sum"] == pytest.approx(1, abs=1e-4)
    assert "SYNTHETIC" in told["title"]


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_tool_is_scored_and_compared(tmp_path):
    _, told = executed("score_a_tool", tmp_path)
    assert sorted(told["runs"]) == ["lbp-svm", "tool"]
    assert told["counted"] == told["right"]
    assert told["missing"] >= 3
    assert told["difference"] == pytest.approx(told["uar"]["tool"] - told["uar"]["lbp-svm"])
    assert told["low"] <= told["difference"] <= told["high"]
    assert {"au01", "au04", "au12", "au25"} <= {name.lower() for name in told["units"]}
    assert any("OUTSIDE" in note for note in told["notes"]), told["notes"]


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_notebook_is_a_script_too(tmp_path):
    """Its cells one after another in plain Python: nothing on the error stream, no bars."""
    program, text = tmp_path / "own_clips.py", "\n\n".join(code_cells("own_clips"))
    assert text.count("=20,") == 2  # clips of each class, and persons: fewer do for this
    program.write_text(text.replace("=20,", "=8,"), encoding="utf-8")
    done = subprocess.run([sys.executable, program], cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "persons in train and test: none" in done.stdout


def test_all_notebooks_are_tested():
    assert sorted(path.stem for path in FOLDER.glob("*.ipynb")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_that_was_shown_is_kept(name):
    text = (FOLDER / f"{name}.ipynb").read_text(encoding="utf-8")
    book = json.loads(text)
    nbformat.validate(read(name))
    for cell in book["cells"]:
        assert cell["metadata"] == {}
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)
    assert set(book["metadata"]) == {"kernelspec", "language_info"}
    assert book["metadata"]["language_info"] == {"name": "python"}
    assert text == json.dumps(book, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
    assert "The faces here are drawn." in text


@pytest.mark.parametrize("name", NAMES)
def test_only_the_public_api_is_used_in_plain_python(name):
    for source in code_cells(name):
        for node in ast.walk(ast.parse(source)):  # fails at magic of notebooks
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) else []
            assert {one.partition(".")[0] for one in names} <= PACKAGES
            assert not [one for one in names if one.startswith("fgbench.")]
            if isinstance(node, ast.Attribute):
                assert not node.attr.startswith("_")
                if isinstance(node.value, ast.Name) and node.value.id == "fgbench":
                    assert node.attr in fgbench.__all__


def test_a_network_of_ones_own_is_short():
    (source,) = [one for one in code_cells("own_method") if "def build(" in one]
    assert len(source.splitlines()) <= MOST_LINES
