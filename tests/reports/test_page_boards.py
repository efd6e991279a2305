"""Leaderboards of the page: what compares, in what order, and the words that Python finds for it."""

import pytest

from fgbench.reports.page.build import build_page
from fgbench.reports.protocols import knowledge_notes
from fgbench.runs.results import read_result
from tests.support.page_folders import write_clip_run, write_data, write_image_run
from tests.support.page_reading import blocks

START = {"run": "w.safetensors", "kind": "au", "is_of_this_folder": False, "clips_trained_on": None}
TESTED = {"sha256": "c" * 64, "run": "w", "dataset": "other", "synthetic": True, "manifest_digest": None}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """Three runs that compare, one of them from unknown weights; one of clips; two from elsewhere."""
    work = tmp_path_factory.mktemp("boards")
    test = write_data(work, clips={"train": 3, "val": 3, "test": 33}, images_per_clip=1, copies={})
    for name, share, details in (
        ("weak", 0.2, {}),
        ("started", 0.5, {"start": START}),
        ("strong", 0.9, {}),
        ("knowing", 0.4, {"clips_trained_on": 3}),
        ("foreign", 0.8, {"clips_trained_on": None, "weights": TESTED}),
    ):
        method = f"network {name}"
        write_image_run(work, name, test["image"], method=method, share=share, details=details)
    write_clip_run(work, "clips", test["video"], method="TMSAU-Net (Ours)", share=0.5)
    return work


@pytest.fixture(scope="module")
def page(work):
    return build_page(work)


@pytest.fixture(scope="module")
def boards(page):
    overview = blocks(page)["overview"]
    names = [entry["experiment"] for entry in overview["runs"]]
    return [([names[one] for one in board["runs"]], board["notes"]) for board in overview["boards"]]


@pytest.mark.slow
def test_what_compares_is_ranked_together(boards):
    assert [names for names, _ in boards] == [
        ["clips"],
        ["foreign", "knowing"],
        ["strong", "started", "weak"],
    ]


@pytest.mark.slow
def test_notes_are_those_of_the_tables(work, boards):
    details = {
        name: read_result(work / "runs" / name / "0" / "0")["details"]
        for names, _ in boards
        for name in names
    }
    for names, notes in boards:
        assert notes == knowledge_notes([(f"{name}/0/0", details[name]) for name in names])
    clips, elsewhere, here = (notes for _, notes in boards)
    assert clips == []
    assert elsewhere[0].endswith("so no fair test: knowing/0/0.")
    assert elsewhere[1].endswith("so that they may know test clips: foreign/0/0.")
    assert [note.endswith("so that they may know test clips: started/0/0.") for note in here] == [True]


def test_the_page_has_no_words_of_its_own_for_it(page, boards):
    messages = [note for _, notes in boards for note in notes if "not at hand" in note]
    assert len(messages) == page.count("not at hand") == 2
