"""The page of experts in headless Chromium: keys, mouse and touch, roles, what is kept, and the tables."""

import json

import pytest

import fgbench
from tests.support.page_visits import NEEDS_CHROMIUM, launched, playwright
from tests.support.selection_folders import read_table, write_selection_work

HOSTILE = '</script><script>window.hacked = 1</script><img src=x onerror="window.hacked=1">'
HEAD = ["clip", "frame", "selected_by", "inspected_by"]
N_CLIPS = 12

pytestmark = [pytest.mark.slow, NEEDS_CHROMIUM]


@pytest.fixture(scope="module")
def browser():
    with launched() as browser:
        yield browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Twelve clips of the frames 2 to 5; the page shows ten at a time."""
    folder = tmp_path_factory.mktemp("selection")
    clips = {f"clip{number:02d}": ("anger", 4) for number in range(N_CLIPS)}
    _, work = write_selection_work(folder, clips, without={("clip01", 3)})
    return fgbench.export_frames(work, folder / "out").pages[0]


@pytest.fixture
def visit(browser, page):
    contexts, faults = [], []

    def start(path=page, *, width=1280, touch=False):
        context = browser.new_context(viewport={"width": width, "height": 850}, has_touch=touch)
        contexts.append(context)
        return seen(context.new_page(), path)

    def seen(tab, path=page):
        tab.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on(
            "request",
            lambda request: faults.append(request.url) if request.url.startswith("http") else None,
        )
        tab.goto(path.as_uri())
        tab.wait_for_selector(".tile")
        return tab

    start.again = seen
    yield start
    assert faults == []
    for context in contexts:
        context.close()


def pressed(tab, *keys):
    for key in keys:
        tab.keyboard.press(key)


def current(tab):
    """Clip and frame in focus, and what is said of it."""
    label = tab.evaluate("document.activeElement.getAttribute('aria-label')")
    clip, _, rest = label.partition(", ")
    return clip, int(rest.split("frame ")[1].split(",")[0]), rest.rpartition(": ")[2]


def written(tab, tmp_path):
    with tab.expect_download() as download:
        tab.get_by_role("button", name="Write selection.csv").click()
    assert download.value.suggested_filename == "selection.csv"
    download.value.save_as(tmp_path / "selection.csv")
    return read_table(tmp_path / "selection.csv")


def status(tab):
    return tab.locator("#status").inner_text()


def test_keys_decide_move_and_undo(visit):
    tab = visit()
    tab.locator(".face").first.focus()
    assert current(tab) == ("clip00", 2, "not decided")
    pressed(tab, "a", "r", "Space")
    assert current(tab) == ("clip00", 4, "accepted")
    pressed(tab, "Space")
    assert current(tab) == ("clip00", 4, "rejected")
    assert status(tab) == "1 accepted, 2 rejected, 44 to go."
    pressed(tab, "ArrowLeft")
    assert current(tab) == ("clip00", 3, "rejected")
    pressed(tab, "ArrowDown")
    assert current(tab) == ("clip01", 4, "not decided"), "the second frame of a clip without frame 3"
    pressed(tab, "ArrowDown", "ArrowUp", "ArrowRight")
    assert current(tab) == ("clip01", 5, "not decided")
    pressed(tab, "n")
    assert current(tab) == ("clip02", 2, "not decided")
    pressed(tab, "p", "p", "p")
    assert current(tab) == ("clip00", 2, "accepted")
    pressed(tab, "n", "u")
    assert current(tab) == ("clip00", 4, "accepted"), "undo goes to the frame"
    pressed(tab, "u", "u", "u", "u")
    assert status(tab) == "0 accepted, 0 rejected, 47 to go."
    assert tab.get_by_role("button", name="Undo").is_disabled()


@pytest.mark.parametrize("role", ["Select", "Inspect"])
def test_buttons_of_a_row_stand_at_the_foot_of_their_frames(visit, role):
    """Also where what is said of one frame takes two lines; no word is cut off."""
    tab = visit()
    tab.get_by_label(role).check()
    tab.locator(".sharp").first.evaluate("(one) => { one.textContent = 'a long word on the sharpness'; }")
    feet = tab.locator(".clip").first.locator(".tile")
    gaps = feet.evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().bottom - "
        "one.querySelector('.choices').getBoundingClientRect().bottom)"
    )
    assert max(gaps) < 3
    cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth).length"
    assert tab.locator(".choice").evaluate_all(cut) == 0


def test_keys_go_on_to_later_clips_and_back(visit):
    """Ten clips are in the page at a time."""
    tab = visit()
    tab.locator(".face").first.focus()
    pressed(tab, *["n"] * 10)
    assert current(tab)[:2] == ("clip10", 2)
    assert tab.locator(".clip").count() == 2
    assert tab.locator("#part").inner_text() == "2 / 2"
    pressed(tab, "ArrowLeft")
    assert current(tab)[:2] == ("clip09", 5)
    tab.get_by_role("button", name="later clips").click()
    assert current(tab)[:2] == ("clip10", 2)


def test_typing_a_name_decides_nothing(visit):
    tab = visit()
    tab.get_by_label("Your name or number").focus()
    tab.keyboard.type("aru n")
    assert tab.get_by_label("Your name or number").input_value() == "aru n"
    assert status(tab) == "0 accepted, 0 rejected, 47 to go."


def test_decisions_are_kept_and_written(visit, tmp_path):
    """Also in another tab of the same browser; a page of other pictures begins anew."""
    tab = visit()
    tab.get_by_role("button", name="Write selection.csv").click()
    assert status(tab) == "Give your name or number first."
    tab.get_by_label("Your name or number").fill("ada, first")
    tab.locator(".face").first.focus()
    pressed(tab, "a", "r", "a")
    tab.reload()
    assert current_tab_label(tab) == "clip00, anger: frame 5, +1, sharpness 50, quality 0.50: not decided"
    other = visit.again(tab.context.new_page())
    assert status(other) == "2 accepted, 1 rejected, 44 to go."
    assert written(other, tmp_path) == [
        HEAD,
        ["clip00", "2", "ada, first", ""],
        ["clip00", "4", "ada, first", ""],
    ]
    assert "44 frames are not decided, and not in it" in status(other)
    _, work = write_selection_work(tmp_path, {"clip00": ("anger", 3)})
    strange = visit.again(tab.context.new_page(), fgbench.export_frames(work, tmp_path / "out").pages[0])
    assert status(strange) == "0 accepted, 0 rejected, 4 to go."


def current_tab_label(tab):
    return tab.locator('.face[tabindex="0"]').get_attribute("aria-label")


def test_another_expert_inspects_the_selection(visit, tmp_path):
    """Only selected frames are asked for; one's own selection is refused, the other's written whole."""
    table = tmp_path / "first.csv"
    table.write_text(
        "\ufeffclip;frame;selected_by;inspected_by\r\n"
        'clip00;3;"ada ""A""";\r\nclip00;5;ada;\r\nclip11;2;ada;\r\n'
        "clip00;9;ada;\r\nclip00;5;ada;\r\nclip01;4;;\r\n",
        encoding="utf-8",
    )
    tab = visit()
    tab.get_by_label("Inspect", exact=True).check()
    assert status(tab) == "Load the table of the first expert to inspect it."
    tab.get_by_label("Table of the first expert").set_input_files(table)
    playwright.expect(tab.locator("#status")).to_have_text(
        "first.csv: 3 frames to inspect; left out: 1 row of no frame of this page, 1 row twice, "
        "1 row without selected_by."
    )
    assert current(tab) == ("clip00", 3, "not inspected")
    pressed(tab, "a")
    assert current(tab) == ("clip00", 5, "not inspected")
    pressed(tab, "r")
    assert current(tab) == ("clip11", 2, "not inspected"), "frames that no one selected are passed over"
    pressed(tab, "a")
    assert status(tab) == "2 confirmed, 1 struck out, 0 to go."
    assert tab.locator(".tile").last.get_by_role("button", name="Strike out").is_disabled()
    tab.get_by_label("Your name or number").fill(" Ada")
    tab.get_by_role("button", name="Write selection.csv").click()
    assert "another expert has to inspect them" in status(tab)
    tab.get_by_label("Your name or number").fill("bob")
    assert written(tab, tmp_path) == [
        HEAD,
        ["clip00", "3", 'ada "A"', "bob"],
        ["clip00", "5", "ada", ""],
        ["clip11", "2", "ada", "bob"],
    ]
    tab.get_by_label("Select", exact=True).check()
    assert status(tab) == "0 accepted, 0 rejected, 47 to go."


def test_a_table_that_is_none_is_refused_with_a_message(visit, tmp_path):
    tab = visit()
    tab.get_by_label("Inspect", exact=True).check()
    for name, text, message in (
        ("other.csv", "a,b\n1,2\n", "other.csv: the table has no column clip, frame, selected_by"),
        (
            "strange.csv",
            "clip,frame,selected_by\nelsewhere,2,ada\n",
            "none of its rows is a frame of this page",
        ),
    ):
        (tmp_path / name).write_text(text)
        tab.get_by_label("Table of the first expert").set_input_files(tmp_path / name)
        playwright.expect(tab.locator("#status")).to_contain_text(message)


@pytest.mark.parametrize("width", [390, 1280])
def test_mouse_and_touch_decide_too_and_nothing_is_wider_than_the_screen(visit, width):
    tab = visit(width=width, touch=True)
    tile = tab.locator(".tile").nth(1)
    tile.locator(".face").tap()
    assert tile.get_attribute("data-mark") == "a"
    tile.get_by_role("button", name="Reject").tap()
    assert tile.get_attribute("data-mark") == "r"
    tab.get_by_role("button", name="Accept all").nth(1).click()
    assert status(tab) == "3 accepted, 1 rejected, 43 to go."
    tab.get_by_role("button", name="Undo").click()
    assert status(tab) == "0 accepted, 1 rejected, 46 to go."
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    sizes = tab.locator("button").evaluate_all(
        "list => list.map((one) => Math.min(one.offsetWidth, one.offsetHeight)).filter((side) => side)"
    )
    assert min(sizes) >= 28
    broken = "[...document.images].filter((one) => one.complete && !one.naturalWidth).length"
    assert tab.evaluate(broken) == 0
    assert tab.evaluate("[...document.images].some((one) => one.naturalWidth === 224)")


def test_what_is_in_focus_is_seen(visit):
    """The focus has an outline, and a frame in focus is not behind the tools at the foot."""
    tab = visit(width=390)
    tab.locator(".face").first.focus()
    for _ in range(9):
        pressed(tab, "a")
        outline = "getComputedStyle(document.activeElement.closest('.tile')).outlineStyle"
        assert tab.evaluate(outline) == "solid"
        face = tab.evaluate("document.activeElement.getBoundingClientRect().bottom")
        assert face <= tab.evaluate("document.getElementById('foot').getBoundingClientRect().top")


def test_names_like_markup_do_nothing(visit, tmp_path):
    _, work = write_selection_work(tmp_path, {"a": (HOSTILE, 4)})
    tab = visit(fgbench.export_frames(work, tmp_path / "out").pages[0], width=390)
    assert tab.locator(".label").inner_text() == HOSTILE
    assert tab.evaluate("window.hacked") is None
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(
    "kept",
    [
        {
            "role": "chief",
            "names": None,
            "marks": {"select": "x" * 48, "inspect": 7},
            "selected": {"999": "ada"},
        },
        {"names": {"select": [1]}, "selected": "ada", "marks": ["a"] * 48},
        [1],
        "ada",
    ],
)
def test_what_others_kept_in_its_place_does_not_stop_the_page(visit, page, kept):
    """All pages of a disk may share one store."""
    tab = visit()
    identity = tab.evaluate("JSON.parse(document.getElementById('data').textContent).id")
    tab.evaluate("pair => localStorage.setItem(...pair)", [f"fgbench-selection:{identity}", json.dumps(kept)])
    tab.reload()
    tab.wait_for_selector(".tile")
    assert status(tab).startswith("0 accepted, 0 rejected, ")
    pressed(tab, "a")
    assert status(tab).startswith("1 accepted, 0 rejected, ")
