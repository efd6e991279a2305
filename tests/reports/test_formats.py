"""LaTeX, HTML and pictures: structure, escaping, equal bytes; the index of a report."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest

from fgbench.reports.index import Entry, entry_of, write_index
from fgbench.reports.rendering.drawings import picture
from fgbench.reports.rendering.files import FORMATS, write_item
from fgbench.reports.rendering.hypertext import html_page, html_table
from fgbench.reports.rendering.latex import escaped, latex
from fgbench.reports.rendering.render import comma_separated, markdown, text
from fgbench.reports.rendering.table import Figure, PValue, Spread, Table
from fgbench.reports.tables import table2
from tests.support.report_folders import samples, write_fake_run, write_manifests

NASTY = r"""<script>alert("1")</script> & 50% $x_1$ #2 {a} ~ ^ \input{/etc/passwd} `ls` --out é 中"""

TABLE = Table(
    name="t",
    title="Table II. Of A&B: mine (SYNTHETIC data)",
    columns=["Class", "n_1", "Share"],
    rows=[[NASTY, 1234, Spread(0.25, 0.125)], ["b", -5, None], ["c", 0, -0.5]],
    notes=["100 % sure_", "mean ± sd"],
)


def test_latex_by_hand():
    table = Table(
        name="t",
        title="Table II. A&B",
        columns=["Class", "x"],
        rows=[["a", -0.5], ["b", Spread(0.25, 0.125)]],
    )
    assert latex(table) == "\n".join(
        [
            r"% Table II. A\&B",
            r"% \usepackage{booktabs,graphicx}",
            r"\begin{table*}[tp]",
            r"\centering",
            r"\footnotesize",
            r"\caption{A\&B}\label{tab:t}",
            r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
            r"\begin{tabular}{@{}lr@{}}",
            r"\toprule",
            r"Class & x \\",
            r"\midrule",
            r"a & $-$0.500 \\",
            r"b & $0.250 \pm 0.125$ \\",
            r"\bottomrule",
            r"\end{tabular}}",
            r"\end{table*}",
            "",
        ]
    )


def test_latex_escapes_all_that_it_would_read_as_a_command():
    actual = escaped(NASTY)
    allowed = r"\\(textless|textgreater|textbackslash|textasciitilde|textasciicircum)\{\}"
    rest = re.sub(
        rf"{allowed}|\{{\\ensuremath\{{\\\$\}}\}}|\\[&%$#_{{}}]|\{{''\}}|\{{`\}}|-\{{\}}-", "", actual
    )
    assert not set(rest) & set(r'\{}&%$#_~^<>|"`')
    assert r"\textbackslash{}input\{/etc/passwd\}" in actual
    assert actual.endswith("-{}-out é U+4E2D")
    assert escaped("a\nb\x00") == "a b"
    assert escaped("---") == "-{}-{}-"


@pytest.mark.parametrize("label", ["[a]", "*", "[-1em]"])
def test_a_row_never_begins_with_what_the_row_before_takes_for_its_argument(label):
    source = latex(Table(name="t", title="", columns=[label, "x"], rows=[[label, 1], [label, 2]]))
    check_structure(source)
    rows = [line for line in source.splitlines() if line.endswith(r"\\")]
    assert len(rows) == 3
    assert all(line.startswith("{}" + label) for line in rows)


def test_csv_has_no_formulas_and_markdown_no_control_characters():
    names = ["=1+1|cmd", "+1|x", "@sum(1)", "-x", "\x1b]0;pwned\x07"]
    table = Table(
        name="t", title=names[4], columns=["class", *names], rows=[[name, *[-0.5] * 5] for name in names]
    )
    lines = comma_separated(table).splitlines()
    assert lines[0].startswith("class,'=1+1|cmd,'+1|x,'@sum(1),'-x,")
    assert [line.partition(",")[0] for line in lines[1:5]] == ["'=1+1|cmd", "'+1|x", "'@sum(1)", "'-x"]
    assert all(line.endswith(",-0.5,-0.5,-0.5,-0.5,-0.5") for line in lines[1:]), "numbers stay numbers"
    assert "\x1b" not in markdown(table) + comma_separated(table) + html_table(table)
    assert r"\\x1b\]0;pwned\\x07" in markdown(table)


def check_structure(source):
    """Braces and environments are balanced, rows have as many cells as columns."""
    plain = re.sub(r"(?m)(?<!\\)%.*$", "", source)
    plain = re.sub(r"\\textbackslash\{\}|\\[{}&]", "", plain)
    depth = 0
    for sign in plain:
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    opened = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+\*?)\}", plain):
        if kind == "begin":
            opened.append(name)
        else:
            assert opened.pop() == name
    assert not opened
    for align, body in re.findall(r"\\begin\{tabular\}\{@\{\}(\w+)@\{\}\}(.*?)\\end\{tabular\}", plain, re.S):
        rows = [line for line in body.splitlines() if line.endswith(r"\\")]
        assert rows
        assert {line.count(" & ") + 1 for line in rows} == {len(align)}
        assert [body.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    work = tmp_path_factory.mktemp("formats")
    write_manifests(work, samples())
    for seed in (0, 1):
        write_fake_run(work, "msau", method="MSAU-Net (Ours)", seed=seed)
    return work


@pytest.mark.slow
def test_latex_of_table_2_has_a_float_per_block_and_its_notes(work):
    table = table2.build(work)
    actual = latex(table)
    check_structure(actual)
    assert actual.count(r"\begin{table*}") == 4
    assert actual.count(r"\label{tab:table2}") == 1
    assert actual.count("(continued)") == 3
    assert r"\pm" in actual
    for note in table.notes:
        assert rf"\par {escaped(note)}" in actual


def test_latex_of_awkward_tables_is_sound():
    check_structure(latex(TABLE))
    long = Table(name="l", title="L", columns=["a"], rows=[[f"r{n}"] for n in range(95)], notes=["n"])
    actual = latex(long)
    check_structure(actual)
    assert actual.count(r"\begin{table*}") == 3
    assert all(f"r{n} " in actual for n in range(95))
    check_structure(latex(Table(name="e", title="Empty", columns=["a", "b"], rows=[])))


@pytest.mark.skipif(
    not (shutil.which("pdflatex") or shutil.which("tectonic")), reason="neither pdflatex nor tectonic is here"
)
def test_latex_compiles(work, tmp_path):
    entries = []
    for table in (TABLE, table2.build(work)):
        entries.append(entry_of(table, write_item(table, tmp_path, ["tex"])))
    write_index(tmp_path, entries)
    engine = shutil.which("pdflatex")
    command = [engine, "-interaction=nonstopmode", "-halt-on-error"] if engine else ["tectonic"]
    done = subprocess.run(
        [*command, "report.tex"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")


class Reader(HTMLParser):
    """Tags opened, texts, and whether all are closed."""

    def __init__(self):
        super().__init__()
        self.tags, self.open, self.texts = [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def read(page):
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert not reader.open
    return reader


def test_html_shows_names_and_runs_nothing():
    actual = read(html_page(NASTY, [html_table(TABLE)]))
    assert "script" not in actual.tags
    assert NASTY in actual.texts
    assert "0.250 ± 0.125" in actual.texts
    assert actual.tags.count("tr") == 4
    assert actual.tags.count("li") == 2
    assert "<script" not in html_page(NASTY, [html_table(TABLE)])


def test_html_of_blocks(work):
    table = table2.build(work)
    actual = read(html_page(table.title, [html_table(table)]))
    assert actual.tags.count("table") == 4
    assert actual.texts.count(table.title) == 2  # title of the page, caption


def test_small_p_values_are_not_zero():
    assert [text(PValue(p)) for p in (0.0004, 0.001, 0.25)] == ["< 0.001", "0.001", "0.250"]
    assert text(-0.0001) == "0.000"
    table = Table(name="p", title="", columns=["p"], rows=[[PValue(0.00012)]])
    assert comma_separated(table) == "p\n0.00012\n"
    assert r"\< 0.001" in markdown(table)
    assert r"\textless{} 0.001" in latex(table)


def line():
    from matplotlib.figure import Figure as Canvas

    drawing = Canvas()
    drawing.subplots().plot([0, 1], [0, 1])
    return drawing


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "begin"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_equal_drawings_give_equal_bytes(kind, begin):
    first, second = picture(line(), kind), picture(line(), kind)
    assert first == second
    assert first.startswith(begin)
    assert b"CreationDate" not in first
    assert b"dc:date" not in first


@pytest.mark.slow
def test_a_figure_is_written_in_every_format(tmp_path):
    paths = write_item(Figure(table=TABLE, draw=line), tmp_path, FORMATS)
    assert [path.name for path in paths] == [f"t.{kind}" for kind in FORMATS]
    assert all(path.stat().st_size for path in paths)
    page = (tmp_path / "t.html").read_text(encoding="utf-8")
    assert 'src="data:image/png;base64,' in page
    assert "img" in read(page).tags
    table = write_item(TABLE, tmp_path / "as-table", ["pdf", "csv", "pdf"])
    assert [path.name for path in table] == ["t.csv"], "pictures are of figures"


def test_index_tells_what_is_blank(tmp_path):
    table = Table(
        name="table6",
        title="<b>T</b>",
        columns=["Class", "Of", "x"],
        rows=[["a", "this data set", None], ["a", "paper", None], ["b", "this data set, msau", 1.0]],
        notes=["Blank for want of a run: X (fgbench baseline x).", "Other."],
        keys=2,
    )
    entry = entry_of(table, write_item(table, tmp_path, ["tex", "md"]))
    assert (entry.n_cells, entry.n_blank) == (2, 1)
    assert entry.gaps == [table.notes[0]]
    gap = Entry(name="figure7", title="figure7", files=[], n_cells=0, n_blank=0, gaps=["run fgbench y"])
    paths = write_index(tmp_path, [entry, gap])
    assert [path.name for path in paths] == ["index.md", "index.html", "report.tex"]
    content = (tmp_path / "index.md").read_text(encoding="utf-8")
    assert (
        "1 of 2 cells of this data set are blank ([table6.tex](table6.tex), [table6.md](table6.md))"
        in content
    )
    assert "- **figure7**: left out\n  - run fgbench y\n" in content
    page = read((tmp_path / "index.html").read_text(encoding="utf-8"))
    assert "<b>T</b>" in page.texts
    assert page.tags.count("a") == 2
    assert r"\renewcommand{\thetable}{VI}\input{table6.tex}" in (tmp_path / "report.tex").read_text()
