"""Tables and figures as papers have them: sizes, best numbers, our own numbers alone, any script."""

import matplotlib.font_manager
import numpy as np
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text
from PIL import Image
from typer.testing import CliRunner

from fgbench.cli.app import app
from fgbench.reports.comparison.contenders import find_contender
from fgbench.reports.figures import attention, figure3, figure6, figure7
from fgbench.reports.paper.best import BOLD, is_best, mark_best
from fgbench.reports.paper.own_numbers import without_paper
from fgbench.reports.rendering import fonts
from fgbench.reports.rendering.drawing_style import drawn
from fgbench.reports.rendering.files import Look, write_item
from fgbench.reports.rendering.hypertext import html_table
from fgbench.reports.rendering.latex import latex
from fgbench.reports.rendering.render import comma_separated, markdown
from fgbench.reports.rendering.table import Best, Figure, OfPaper, Spread, Table
from fgbench.reports.run.figures import run_figures
from fgbench.reports.tables import table2
from tests.support.clip_runs import write_clip_manifests, write_clip_run
from tests.support.report_folders import samples, write_fake_run, write_manifests, write_regions

COLUMN, PAGE = 3.5, 7.16


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("paper")
    write_manifests(work, samples())
    for seed in (0, 1):
        write_fake_run(work, "plain-cnn", method="Plain CNN", seed=seed, share=0.3)
        run = write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed, share=0.8)
        write_regions(run, {name: [(1, 1), (3, 3), (4, 2)] for name, _, _, _ in samples()})
    return work


def test_the_best_of_each_group_is_marked_and_so_is_what_prints_alike():
    rows = [
        ["a", 0.5, Spread(0.7, 0.1), None],
        ["b", 0.50004, Spread(0.8, 0.1), 0.3],
        ["c", 0.4, 0.9, None],
        ["alone", 0.99, 0.99, 0.99],
    ]
    actual = mark_best(rows, {0: "x", 1: "x", 2: "y", 3: "z"}, [1, 2, 3])
    assert [[is_best(cell) for cell in row[1:]] for row in actual] == [
        [True, False, False],
        [True, True, False],
        [False, False, False],
        [False, False, False],
    ]
    assert actual[1][2] == Spread(0.8, 0.1, is_best=True)
    assert rows[0][1] == 0.5
    assert not isinstance(rows[0][1], Best), "the rows that are given stay"


def test_the_best_is_bold_wherever_people_read():
    table = Table(
        name="t",
        title="T",
        columns=["Method", "UAR"],
        rows=[["a", Best(0.5)], ["b", Spread(0.25, 0.5, is_best=True)]],
    )
    assert "| a | **0.500** |" in markdown(table)
    assert "| b | **0.250 ± 0.500** |" in markdown(table)
    assert r"a & \textbf{0.500} \\" in latex(table)
    assert r"b & $\mathbf{0.250 \pm 0.500}$ \\" in latex(table)
    assert "<b>0.500</b>" in html_table(table)
    assert comma_separated(table) == "Method,UAR\na,0.5\nb,0.25 ± 0.5\n"


@pytest.mark.slow
def test_table_2_marks_the_best_of_its_own_methods(work):
    table = table2.build(work)
    ours = {row[1]: row for row in table.rows if row[2] == "this data set" and row[3] is not None}
    assert is_best(ours["MSAU-Net (Ours)"][3])
    assert not is_best(ours["Plain CNN"][3])
    assert not any(is_best(cell) for row in table.rows if row[2] != "this data set" for cell in row)
    first = list(table.columns).index("anger")
    for column in range(first, len(table.columns)):
        values = {name: round(row[column].mean, 3) for name, row in ours.items()}
        assert {name for name, row in ours.items() if is_best(row[column])} == {
            name for name, value in values.items() if value == max(values.values())
        }
    assert BOLD in table.notes


@pytest.mark.slow
def test_without_the_paper_a_table_has_our_numbers_alone(work):
    whole = table2.build(work)
    own = without_paper(whole)
    assert [row[:2] for row in own.rows] == [["image", "Plain CNN"], ["image", "MSAU-Net (Ours)"]]
    assert "Of" not in own.columns
    assert list(own.columns)[:3] == ["Source", "Method", "Mean"]
    assert sum(own.blocks) + own.keys == len(own.columns)
    assert [row[2] for row in own.rows] == [
        row[3] for row in whole.rows if row[2] == "this data set" and row[3] is not None
    ]
    assert not any("paper's" in note for note in own.notes)
    assert any(note.startswith("Mean: ") for note in own.notes)
    assert len(markdown(own)) < len(markdown(whole)) / 2


def test_columns_of_data_sets_that_only_the_paper_has_go():
    table = Table(
        name="table3",
        title="T",
        columns=["Method", "Of", "Data", "CK+", "MMI", "Own"],
        rows=[
            ["DLP", "paper", "", 0.9, 0.8, None],
            ["LBP", "UAR", "ck", Best(0.7), None, 0.1],
            ["LBP", "UAR less DLP", "ck", -0.2, None, None],
        ],
        notes=["Ours.", OfPaper("Theirs.")],
        keys=3,
        blocks=(2, 1),
    )
    own = without_paper(table)
    assert own.columns == ["Method", "Of", "Data", "CK+", "Own"]
    assert own.rows == [["LBP", "UAR", "ck", 0.7, 0.1]]
    assert own.notes == ["Ours."]
    assert (own.keys, own.blocks) == (3, [1, 1])
    plain = Table(name="t", title="", columns=["a"], rows=[["x"]], notes=["n"])
    assert without_paper(plain) == plain


def _figures(work):
    yield figure3.build(work), PAGE
    yield figure6.build(work), PAGE
    yield from zip(run_figures(find_contender("msau", work)), (COLUMN, PAGE), strict=True)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    work = tmp_path_factory.mktemp("video")
    write_clip_manifests(work)
    write_clip_run(work, "tmsau", method="TMSAU-Net (Ours)")
    return work


def _check(drawing, width):
    drawing.draw_without_rendering()
    assert drawing.get_size_inches()[0] == width
    assert drawing.get_size_inches()[1] < 10
    shown = [text for text in drawing.findobj(Text) if text.get_text().strip() and text.get_visible()]
    assert shown
    assert {text.get_fontsize() for text in shown} == {8.0}
    output = "\n".join(text.get_text() for text in shown)
    for word in ("SYNTHETIC", "Figure", "fgbench", "runs/"):
        assert word not in output
    renderer = FigureCanvasAgg(drawing).get_renderer()
    named = [
        *drawing.legends,
        *(label for axes in drawing.axes for label in (axes.xaxis.label, axes.yaxis.label)),
    ]
    for artist in named:
        box = artist.get_window_extent(renderer)
        assert box.x0 >= -1
        assert box.y0 >= -1
        assert box.x1 <= drawing.bbox.x1 + 1
        assert box.y1 <= drawing.bbox.y1 + 1


@pytest.mark.slow
def test_figures_for_a_paper_have_its_width_its_letters_and_no_title(work, video):
    everything = [*_figures(work), (attention.build(video), PAGE), (figure7.build(video), COLUMN)]
    for figure, width in everything:
        before = figure.draw().get_size_inches().tolist()
        with drawn(for_paper=True):
            _check(figure.draw(), width)
        assert figure.draw().get_size_inches().tolist() == before


@pytest.mark.slow
def test_files_for_a_paper(work, tmp_path):
    (picture,) = write_item(figure3.build(work), tmp_path, ["png"], look=Look(for_paper=True))
    with Image.open(picture) as image:
        assert image.size[0] == round(PAGE * 300)
    done = CliRunner().invoke(
        app,
        ["report", "--table", "II", "--workdir", str(work), "--out", str(tmp_path), "--format", "tex",
         "--for", "paper", "--without-paper"],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    text = (tmp_path / "table2.tex").read_text()
    assert "fgbench " not in text
    assert "runs/" not in text
    assert "paper" not in done.stdout.replace(str(tmp_path), "")
    assert r"\mathbf{" in text
    wrong = CliRunner().invoke(app, ["report", "--for", "poster", "--workdir", str(work)])
    assert wrong.exit_code == 2


@pytest.mark.slow
def test_papers_take_tex_and_pdf_where_no_format_is_named(work, tmp_path):
    words = ["report", "--workdir", str(work), "--out", str(tmp_path), "--for", "paper"]
    for named in (["--table", "II"], ["--figure", "3"]):
        done = CliRunner().invoke(app, [*words, *named])
        assert done.exit_code == 0, done.output
    names = {path.name for path in tmp_path.iterdir()}
    assert {"table2.tex", "figure3.tex", "figure3.pdf"} <= names
    assert not [name for name in names if name.endswith((".md", ".png"))]


@pytest.mark.slow
def test_the_papers_peak_is_in_figure_7_only_with_the_paper(video):
    figure = figure7.build(video)

    def lines(**how):
        with drawn(for_paper=False, **how):
            return [str(line.get_label()) for axes in figure.draw().axes for line in axes.lines]

    assert any(label.startswith("paper:") for label in lines())
    assert not any(label.startswith("paper:") for label in lines(with_paper=False))


def test_tables_are_no_pictures(work, tmp_path):
    table = table2.build(work)
    assert [path.name for path in write_item(table, tmp_path, ["png", "csv"])] == ["table2.csv"]
    assert [path.name for path in write_item(table, tmp_path, ["pdf"])] == ["table2.md"]


def _font(path, family, characters):
    """A font whose every glyph is a filled square."""
    names = [".notdef", *(f"g{ord(character):04x}" for character in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): name for c, name in zip(characters, names[1:], strict=True)})
    pen = TTGlyphPen(None)
    for number, corner in enumerate([(0, 0), (0, 800), (800, 800), (800, 0)]):
        (pen.lineTo if number else pen.moveTo)(corner)
    pen.closePath()
    square = pen.glyph()
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (900, 0)))
    builder.setupHorizontalHeader(ascent=800, descent=-200)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2(usWeightClass=400)
    builder.setupPost()
    builder.save(path)
    return path


@pytest.fixture
def scripts(tmp_path, monkeypatch):
    """Two fonts of made-up scripts are installed beside the usual one."""
    manager = matplotlib.font_manager.fontManager
    monkeypatch.setattr(manager, "ttflist", [font for font in manager.ttflist if font.name == fonts.USUAL])
    manager.addfont(_font(tmp_path / "one.ttf", "Script One", "\u6012\u559c\u60b2"))
    manager.addfont(_font(tmp_path / "two.ttf", "Script Two", "\u60b2\u9a5a"))
    fonts._installed.cache_clear()
    yield
    fonts._installed.cache_clear()


@pytest.mark.usefixtures("scripts")
def test_fonts_are_chosen_by_the_letters_that_they_have():
    assert fonts.fonts_for("anger ±") == ([fonts.USUAL], "")
    assert fonts.fonts_for("a\u6012\u559c") == ([fonts.USUAL, "Script One"], "")
    assert fonts.fonts_for("\u60b2\u9a5a") == ([fonts.USUAL, "Script Two"], "")
    assert fonts.fonts_for("\u559c\u9a5a") == ([fonts.USUAL, "Script One", "Script Two"], "")
    assert fonts.fonts_for("\u9a5a\ud55c\uac10") == ([fonts.USUAL, "Script Two"], "\uac10\ud55c")


@pytest.mark.usefixtures("scripts")
def test_letters_that_the_usual_font_lacks_are_drawn(tmp_path):
    def written(text):
        def draw():
            drawing = Canvas(figsize=(2, 1), dpi=100)
            drawing.text(0.1, 0.2, text, fontsize=40)
            return drawing

        table = Table(name="t", title="", columns=["a"], rows=[])
        (path,) = write_item(Figure(table=table, draw=draw), tmp_path, ["png"])
        return np.asarray(Image.open(path).convert("L"), np.float64)

    box, square = written("\ud55c"), written("\u559c")
    assert square.min() == 0.0

    def filled(picture):
        dark = np.argwhere(picture < 128)
        height, width = dark.max(axis=0) - dark.min(axis=0) + 1
        return len(dark) / (height * width)

    assert filled(square) > 0.95, "the glyph of the other font"
    assert filled(box) < 0.8, "the box of a letter that no font has"


@pytest.mark.usefixtures("scripts")
def test_one_line_tells_of_names_that_no_font_can_show():
    assert fonts.lacking_note(["anger", "\u6012"]) is None
    reported = fonts.lacking_note(["anger", "x\ud55c"])
    assert reported is not None
    assert "x\ud55c" in reported
    assert "\n" not in reported
