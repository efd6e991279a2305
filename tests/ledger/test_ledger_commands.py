"""The ledger in ``check``, ``status``, ``score``, ``compare``, ``report``, ``prepare`` and ``publish``."""

import json
import shutil

import pytest

from fgbench.runs.ledger.chain import LEDGER
from tests.support.outside_work import Truth, cli, pictures, score, write_rows
from tests.support.plain_ledger import hash_of, is_chain, rows

pytestmark = pytest.mark.slow

FINE = [{"clip_id": "test/anger/test-anger-0", "label": "anger"}]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A work folder of pictures with two programs' scores; one was scored twice."""
    folder = tmp_path_factory.mktemp("ledger")
    truth = pictures(folder)
    for name, n_wrong in (("good", 3), ("bad", 12)):
        answers = [
            {"clip_id": clip, "label": label if number >= n_wrong else "anger"}
            for number, (clip, label) in enumerate(truth.labels.items())
        ]
        score(write_rows(folder / f"{name}.csv", answers), truth.work)
    score(folder / "bad.csv", truth.work, "--force")
    return Truth(work=truth.work, labels=truth.labels)


@pytest.fixture
def scored(made, tmp_path):
    shutil.copytree(made.work, tmp_path / "work")
    return tmp_path / "work"


def sentence(work):
    return f"Test part read 3 times by 2 configurations since {rows(work)[0]['time'][:10]}"


def test_check_and_status_tell_counts_and_the_last_hash(scored):
    for command in ("check", "status"):
        done = cli(command, "--workdir", scored)
        assert done.exit_code == 0, done.output
        assert f"{sentence(scored)}.\nledger.jsonl ends with {hash_of(rows(scored)[-1])}\n" in done.stdout
        told = json.loads(cli(command, "--workdir", scored, "--json").stdout)["ledger"]
        assert told["head"] == rows(scored)[-1]["hash"]
        assert [one["readings"] for one in told["counts"]] == [3, 0]
        assert told["faults"] == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda text: text.replace("good/0/0", "best/0/0"), "line 1 was edited: its hash is not that of"),
        (lambda text: text[text.index("\n") + 1 :], "reading 1 is missing before line 1"),
        (lambda text: "".join(text.splitlines(keepends=True)[:-1]), "reading 3 is missing at its end"),
        (lambda text: "hello\n", "line 1 is no reading: "),
    ],
)
def test_check_ends_with_the_code_of_damage_and_says_what_to_do(scored, change, fault):
    path = scored / LEDGER
    path.write_text(change(path.read_text()))
    before = path.read_bytes()
    done = cli("check", "--workdir", scored)
    assert done.exit_code == 7, done.output
    assert f"{LEDGER}: {fault}" in done.stdout
    assert f"put {LEDGER} back as it was; or move it and .ledger.json away" in done.stderr
    assert "Traceback" not in done.output
    told = cli("status", "--workdir", scored)
    assert told.exit_code == 0
    assert f"{LEDGER}: {fault}" in told.stdout
    assert path.read_bytes() == before


def test_a_line_that_was_cut_off_is_no_loss(scored):
    path = scored / LEDGER
    with path.open("a") as file:
        file.write('{"command":"fgb')
    done = cli("check", "--workdir", scored)
    assert done.exit_code == 7
    assert f"{LEDGER}: line 4 is cut off (a crash, or a full disk); the next reading sets it" in done.stdout
    assert done.stderr.rstrip().endswith("no reading is lost: run the command that was ended again")
    score(write_rows(scored.parent / "third.csv", FINE), scored)
    done = cli("check", "--workdir", scored)
    assert done.exit_code == 0, done.output


def test_repair_begins_a_new_ledger_with_the_runs_that_are_there(scored):
    for name in (LEDGER, ".ledger.json"):
        (scored / name).unlink()
    done = cli("check", "--workdir", scored)
    assert done.exit_code == 7
    assert f"fgbench check --repair {scored} enters readings that the ledger lacks" in done.stderr
    done = cli("check", "--workdir", scored, "--repair")
    assert done.exit_code == 0, done.output
    assert "entered into ledger.jsonl afterwards: bad/0/0" in done.stdout
    assert sorted(row["run"] for row in rows(scored)) == ["bad/0/0", "good/0/0"]
    assert all(row["is_late"] for row in rows(scored))
    assert is_chain(rows(scored))


def test_a_repair_leaves_a_broken_ledger_to_its_user(scored):
    path = scored / LEDGER
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:1]))
    before = path.read_bytes()
    assert cli("check", "--workdir", scored, "--repair").exit_code == 7
    assert path.read_bytes() == before


def test_tables_comparison_report_and_page_tell_the_counts(scored, tmp_path):
    told = sentence(scored)
    for command in (("leaderboard",), ("compare", "good", "bad"), ("report", "--run", "good")):
        done = cli(*command, "--workdir", scored)
        assert done.exit_code == 0, done.output
        assert f"{told}." in done.stdout
    for kind in ("tex", "html"):
        assert f"{told}." in cli("leaderboard", "--workdir", scored, "--format", kind).stdout
    compared = json.loads(cli("compare", "good", "bad", "--workdir", scored, "--json").stdout)
    assert f"{told}." in compared["notes"]
    page = tmp_path / "page.html"
    assert cli("report", "--html", "--workdir", scored, "--out", page).exit_code == 0
    assert f"{told}." in page.read_text()


def test_a_finished_command_tells_the_count(scored):
    done = cli("score", scored.parent / "absent.csv", "--workdir", scored)
    assert done.exit_code == 4
    assert len(rows(scored)) == 3, "a command that fails reads nothing"
    path = write_rows(scored.parent / "third.csv", FINE)
    done = cli("score", path, "--workdir", scored)
    assert done.exit_code == 0, done.output
    assert "Test part read 4 times by 3 configurations since" in done.stdout


def test_a_ledger_that_is_a_folder_is_told_and_the_run_is_there(scored):
    for name in (LEDGER, ".ledger.json"):
        (scored / name).unlink()
    (scored / LEDGER).mkdir()
    done = cli("score", write_rows(scored.parent / "third.csv", FINE), "--workdir", scored)
    assert done.exit_code == 0, done.output
    assert f"third/0/0: this reading of the test part is not in {scored / LEDGER}" in done.stderr
    assert (scored / "runs/third/0/0/result.json").is_file()
    done = cli("check", "--workdir", scored)
    assert done.exit_code == 7
    assert f"{LEDGER}: is a folder, expected a file" in done.stdout
    (scored / LEDGER).rmdir()
    assert cli("check", "--workdir", scored, "--repair").exit_code == 0
    assert len(rows(scored)) == 3


def test_preparing_auditing_and_pruning_keep_the_ledger(made):
    work = made.work
    before = (work / LEDGER).read_bytes()
    root = work.parent / "pictures"
    recipe = work.parent / "pictures.yaml"
    for more in (("--force",), ("--prune",), ("--set", "split.seed=7")):
        done = cli("prepare", recipe, "--data-root", root, "--workdir", work, "--jobs", 1, *more)
        assert done.exit_code == 0, done.output
    cli("audit", "--workdir", work)
    assert (work / LEDGER).read_bytes() == before


def test_a_publication_has_the_counts_and_not_the_ledger(made, tmp_path):
    done = cli("publish", made.work, tmp_path / "out", "--without-pixels", "--jobs", 1)
    assert done.exit_code == 0, done.output
    assert not (tmp_path / "out" / LEDGER).exists()
    card = (tmp_path / "out" / "README.md").read_text()
    assert "## Readings of the test part" in card
    assert f"- {sentence(made.work)}.\n" in card
    assert rows(made.work)[-1]["hash"] in card
