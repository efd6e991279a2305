"""Confusion matrices of the page in Chromium, by mouse and by keyboard."""

from collections import defaultdict

import pytest

from fgbench.taxonomy import basics, leaf
from tests.support.page_folders import LABELS
from tests.support.page_visits import (
    NEEDS_CHROMIUM,
    WIDTHS,
    launched,
    predictions,
    visiting,
    write_three_runs,
)

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return write_three_runs(tmp_path_factory.mktemp("browser"))


@pytest.fixture
def visit(browser, work):
    with visiting(browser, work / "page.html") as start:
        yield start


def shown_samples(tab):
    """Samples in the panel beside the matrix, once all batches are shown."""
    while tab.locator(".panel .button:visible").count():
        tab.locator(".panel .button").click()
    return set(tab.locator(".panel .face").evaluate_all("list => list.map((face) => face.dataset.sample)"))


@pytest.mark.parametrize("width", WIDTHS)
def test_a_click_on_a_cell_shows_the_samples_behind_it(visit, work, width):
    visited = visit(width=width)
    tab = visited.go("run/0")
    behind = predictions(work)
    wrong = max(
        (pair for pair in behind if pair[0] != pair[1] and pair[1]), key=lambda pair: len(behind[pair])
    )
    for true, predicted in (("anger", "anger"), wrong, next(pair for pair in behind if pair[1] is None)):
        cell = f'.grid td[data-true="{true}"][data-predicted="{predicted or "no prediction"}"]'
        tab.locator(cell).click()
        assert tab.locator(cell).inner_text() == (
            str(len(behind[true, predicted])) if behind[true, predicted] else ""
        )
        assert shown_samples(tab) == behind[true, predicted]
        assert true in tab.locator(".panel h3").inner_text()
    assert visited.errors == []


def test_every_cell_has_the_number_counted_from_the_predictions(visit, work):
    tab = visit().go("run/0")
    tab.wait_for_selector(".grid")
    shown = tab.locator(".grid td[data-true]").evaluate_all(
        "list => list.map((cell) => [cell.dataset.true, cell.dataset.predicted, cell.textContent])"
    )
    behind = predictions(work)
    assert len(shown) == 33 * 34
    for true, predicted, text in shown:
        count = len(behind[true, None if predicted == "no prediction" else predicted])
        assert text == (str(count) if count else "")


def test_upper_classes_and_shares(visit, work):
    tab = visit().go("run/0")
    tab.get_by_role("button", name="6 upper classes").click()
    behind = predictions(work)
    counts, samples = defaultdict(int), defaultdict(set)
    for (true, predicted), ids in behind.items():
        pair = leaf(true).basic, "no prediction" if predicted is None else leaf(predicted).basic
        counts[pair] += len(ids)
        samples[pair] |= ids
    shown = tab.locator(".grid td[data-true]").evaluate_all(
        "list => list.map((cell) => [cell.dataset.true, cell.dataset.predicted, cell.textContent])"
    )
    assert len(shown) == 6 * 7
    assert all(text == (str(counts[true, one]) if counts[true, one] else "") for true, one, text in shown)
    tab.locator('.grid td[data-true="anger"][data-predicted="sadness"]').click()
    assert shown_samples(tab) == samples["anger", "sadness"]
    tab.get_by_role("button", name="% of the row").click()
    total = sum(counts["anger", name] for name in (*basics(), "no prediction"))
    text = tab.locator('.grid td[data-true="anger"][data-predicted="anger"]').inner_text()
    assert text == f"{100 * counts['anger', 'anger'] / total:.0f}"


def test_the_matrix_works_by_keyboard(visit, work):
    visited = visit()
    tab = visited.go("run/0")
    tab.wait_for_selector(".grid")
    behind = predictions(work)
    tab.locator(".grid").locator("xpath=..").focus()  # the box round the matrix, which scrolls
    tab.keyboard.press("Tab")
    focused = "document.activeElement.getAttribute('aria-label')"
    assert tab.evaluate(focused).startswith("true anger, predicted anger")
    for _ in range(3):
        tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    true, predicted = LABELS[3], LABELS[1]
    assert tab.evaluate(focused).startswith(f"true {true}, predicted {predicted}:")
    tab.keyboard.press("Enter")
    assert shown_samples(tab) == behind[true, predicted]
    tab.keyboard.press("Home")
    assert tab.evaluate(focused) == f"all of {true}"
    tab.keyboard.press("Space")
    assert shown_samples(tab) == set.union(*[ids for (label, _), ids in behind.items() if label == true])
    tab.locator(".panel .face").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#detail").is_visible()
    name = tab.locator("#detail h2").inner_text()
    assert name.startswith("test-clip")
    tab.keyboard.press("Escape")
    assert not tab.locator("#detail").is_visible()
    assert visited.errors == []
