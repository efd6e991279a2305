"""``fgbench annotate import`` of exports of Label Studio: votes, rejects, again, changed, deleted, killed."""

import csv
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.datasets.fg_emotions import list_clips
from fgbench.errors import DatasetError, ManifestError
from tests.support.annotated_rounds import FIVE, annotation, exported, votes, write_clips, write_export

PEOPLE = {str(number): name for number, name in enumerate(FIVE, start=1)}


@pytest.fixture
def root(tmp_path):
    root = write_clips(tmp_path / "clips")
    exported(root)
    return root


def imported(root, annotations, **more):
    """Import an export in which people are numbered from 1."""
    settings = {name: more.pop(name) for name in ("update", "annotators") if name in more}
    folder = root / "annotation" / "round-1"
    path = write_export(root.parent / "export.json", folder, annotations, **more)
    return fgbench.import_votes(path, root, **{"annotators": PEOPLE, **settings})


def rejects(root):
    with (root / "annotation/round-1/rejects.csv").open(encoding="utf-8", newline="") as file:
        return [(row["clip"], row["annotator"], row["reason"]) for row in csv.DictReader(file)]


def test_annotations_without_their_results_are_refused(tmp_path):
    """Some programs list their numbers alone: nothing is taken for deleted."""
    root = write_clips(tmp_path / "clips")
    path = write_export(tmp_path / "export.json", exported(root).folder, {"a": [7, 8]})
    with pytest.raises(DatasetError, match=r"task 1.* has '7' for an annotation"):
        fgbench.import_votes(path, root)


def test_answers_become_votes(root):
    """Class, confidence, key frame, round, seconds and time of every annotation; the adapter reads them."""
    done = imported(
        root,
        {
            "a": [annotation(1, "anger", 4, 4), annotation(2, "wrath", None, None)],
            "film1/c": [annotation(3, "unsure", None, 2), annotation(4, "not usable", None, None)],
        },
    )
    assert votes(root) == [
        "a.mp4,anna,anger,0.8,4,1,3.25,2026-01-31T12:01:00Z",
        "a.mp4,ben,wrath,,,1,3.25,2026-01-31T12:01:00Z",
        "film1/c.mp4,cem,unsure,0.4,,1,3.25,2026-01-31T12:01:00Z",
        "film1/c.mp4,dora,not_usable,,,1,3.25,2026-01-31T12:01:00Z",
    ]
    assert (done.n_added, done.rejects) == (4, ())
    assert done.missing == {"anna": (1, 3), "ben": (1, 3), "cem": (1, 3), "dora": (1, 3), "emil": (0, 3)}
    read = {entry.clip_id: entry.votes for entry in list_clips(root)}
    assert [(vote.annotator, vote.label, vote.key_frame) for vote in read["a"]] == [
        ("anna", "anger", 4),
        ("ben", "wrath", None),
    ]


def test_import_again_adds_nothing(root):
    """The same export twice leaves the bytes of the table."""
    given = {"a": [annotation(1), annotation(2)]}
    imported(root, given)
    before = (root / "votes.csv").read_bytes()
    done = imported(root, given)
    assert (done.n_added, done.n_same, done.n_updated) == (0, 2, 0)
    assert (root / "votes.csv").read_bytes() == before


def test_rows_of_the_user_stay(root):
    """Rows, columns and order of a table that is there stay; new columns are added, empty."""
    (root / "votes.csv").write_text("Annotator;note;clip;label\nanna;mine;a;anger\nzoe;old;b;wrath\n")
    done = imported(root, {"a": [annotation(1), annotation(2)]})
    assert (done.n_added, len(done.changed)) == (1, 1)  # the same class, and a key frame that was not there
    lines = (root / "votes.csv").read_text().splitlines()
    assert lines[0] == "annotator;note;clip;label;confidence;key_frame;round;spent_s;cast_at"
    assert lines[1:3] == ["anna;mine;a;anger;;;;;", "zoe;old;b;wrath;;;;;"]
    assert lines[3] == "ben;;a.mp4;anger;0.8;4;1;3.25;2026-01-31T12:01:00Z"


def test_changed_answers_wait_for_update(root):
    """An answer that is another now is named, and replaces its vote with ``update`` alone, in its row."""
    imported(root, {"a": [annotation(1), annotation(2)]})
    changed = {"a": [annotation(1, "wrath"), annotation(2)]}
    done = imported(root, changed)
    assert (done.changed, done.n_updated) == ((("a", "anna"),), 0)
    assert votes(root)[0].startswith("a.mp4,anna,anger")
    done = imported(root, changed, update=True)
    assert (done.changed, done.n_updated, done.n_same) == ((), 1, 1)
    assert [line.split(",")[:3] for line in votes(root)] == [
        ["a.mp4", "anna", "wrath"],
        ["a.mp4", "ben", "anger"],
    ]


def test_deleted_answer_is_named_and_kept(root):
    """An annotation that was imported, and is not in the tool any more, is named in every import."""
    imported(root, {"a": [annotation(1), annotation(2)]})
    for _ in range(2):
        done = imported(root, {"a": [annotation(2)]})
        assert done.withdrawn == (("a", "anna"),)
        assert "a by anna" in "\n".join(done.lines())
        assert len(votes(root)) == 2
    (root / "votes.csv").write_text("\n".join(["clip,annotator,label", "a,ben,anger", ""]))
    assert imported(root, {"a": [annotation(2)]}).withdrawn == ()


def test_answers_that_are_no_votes(root):
    """One reject with its reason for each; all others are imported."""
    two_labels = annotation(2, "anger")
    two_labels["result"] += annotation(2, "wrath", None, None)["result"]
    done = imported(
        root,
        {
            "a": [
                annotation(1, frame=10),
                two_labels,
                annotation(3, "joy of life"),
                annotation(9),
                annotation(4, None),
                annotation(5),
            ],
            "b": [
                annotation(1, was_cancelled=True),
                annotation(2, stars=9),
                annotation(3),
                annotation(3, "wrath"),
                annotation(None),
            ],
        },
        drafts=[("film1/c", {"id": 7, "user": "anna@lab.org", "result": annotation(1)["result"]})],
    )
    assert rejects(root) == [
        ("a", "9", "unknown_annotator"),
        ("a", "anna", "key_frame_outside"),
        ("a", "ben", "several_answers"),
        ("a", "cem", "unknown_label"),
        ("a", "dora", "no_answer"),
        ("b", "", "no_annotator"),
        ("b", "anna", "skipped"),
        ("b", "ben", "bad_answer"),
        ("b", "cem", "several_answers"),
        ("b", "cem", "several_answers"),
        ("film1/c", "anna", "draft"),
    ]
    assert (done.n_added, len(done.rejects)) == (1, 11)
    assert "key frame 10, the clip has 0 to 9" in [one.detail for one in done.rejects]


def test_votes_of_people_who_were_not_dealt_the_clip(tmp_path):
    """With more people than votes per clip, a vote on the clip of others is a reject."""
    root = write_clips(tmp_path / "clips")
    exported(root, annotators=[*FIVE, "fay"])
    tasks = json.loads((root / "annotation/round-1/project.json").read_text())
    left_out = {
        task["clip"]: next(
            name for at, name in enumerate(tasks["annotators"]) if at not in task["annotators"]
        )
        for task in tasks["tasks"]
    }
    given = {clip: [annotation({"email": f"{name}@lab.org"})] for clip, name in left_out.items()}
    done = imported(root, given, annotators=None)
    assert {one.reason for one in done.rejects} == {"not_assigned"}
    assert done.n_added == 0
    assert not (root / "votes.csv").exists()


def test_accounts_are_known_by_name_address_or_told(root):
    """An account is that of the annotator whose name is its address, or the part before the @."""
    done = imported(
        root,
        {"a": [annotation({"email": "ANNA@lab.org"}), annotation("ben"), annotation({"id": 7, "email": ""})]},
        annotators={"7": "emil"},
    )
    assert done.rejects == ()
    assert [line.split(",")[1] for line in votes(root)] == ["anna", "ben", "emil"]


def test_accounts_of_nobody_are_listed_and_nothing_is_prepared(root, monkeypatch):
    """Exports of the tool number its accounts: all of them are named, and no table that is not there."""
    monkeypatch.setenv("COLUMNS", "200")
    annotations = {"a": [annotation(3, "anger"), annotation(7, "wrath")], "film1/c": [annotation(3, "anger")]}
    path = write_export(root.parent / "export.json", root / "annotation" / "round-1", annotations)
    done = CliRunner().invoke(app, ["annotate", "import", str(path), "--data-root", str(root)])
    assert done.exit_code == 0
    assert "3 answers rejected; no votes yet" in done.stdout
    assert "whose accounts are these: 3 (2 answers), 7 (1 answer)" in done.stdout
    assert "next: " not in done.stdout
    told = [*("annotate", "import", str(path), "--data-root", str(root)), *("--annotator", "3=cem")]
    assert f"next: fgbench prepare --data-root {root}" in CliRunner().invoke(app, told).stdout


def test_two_addresses_that_may_be_of_one_annotator_are_asked_about(root):
    """Nothing is imported until somebody has said whether they are one person; case alone makes no second."""
    one, other = {"email": "anna@lab.org"}, {"email": "anna@home.org"}
    answers = {"a": [annotation(one)], "b": [annotation(other)]}
    with pytest.raises(DatasetError, match=r"'anna@lab\.org' and 'anna@home\.org' may both be the annotator"):
        imported(root, answers)
    assert not (root / "votes.csv").exists()
    assert imported(root, answers, annotators={"anna@home.org": "an aunt"}).n_added == 1
    assert imported(root, answers, annotators={"anna@home.org": "anna"}).n_added == 1
    assert imported(root, {"a": [annotation(one)], "b": [annotation({"email": "Anna@Lab.org"})]}).n_same == 2


def test_damaged_project_is_not_to_be_deleted(root):
    """The id by which answers are known is nowhere else: the error advises a copy."""
    (root / "annotation/round-1/project.json").write_text("{")
    with pytest.raises(ManifestError, match="is not valid JSON") as caught:
        imported(root, {"a": [annotation(1)]})
    assert "put a copy of it back" in caught.value.hint
    assert "delete" not in caught.value.hint


def test_export_of_another_project_is_refused(root):
    """The id of the project in its tasks decides; so does the round."""
    for changed in ({"project": "0" * 32}, {"round": 2}):
        with pytest.raises(DatasetError, match=r"is an export of the project .* \(round 1\)"):
            imported(root, {"a": [annotation(1)]}, **changed)
    assert not (root / "votes.csv").exists()


def test_several_spellings_in_the_table_are_refused(root):
    """A table that has an annotator in another spelling is not added to."""
    (root / "votes.csv").write_text("clip,annotator,label\nb,ANNA,anger\n")
    with pytest.raises(DatasetError, match="two names of annotators may be one person"):
        imported(root, {"a": [annotation(1)]})
    assert len(votes(root)) == 1


def test_short_export_is_read_too(root):
    """JSON-MIN has a record for each annotation, with the values of controls by name."""
    tasks = json.loads((root / "annotation/round-1/tasks.json").read_text())
    data = {task["data"]["clip"]: task["data"] for task in tasks}
    marked = [{"ranges": [{"start": 3, "end": 3}], "timelinelabels": ["key frame"]}]
    times = {"created_at": "2026-01-31T12:00:00Z", "updated_at": None, "lead_time": 2}
    records = [
        data["a"]
        | {"id": 1, "label": [{"taxonomy": [["anger", "wrath"]]}], "confidence": [{"rating": 5}]}
        | {"key_frame": marked, "annotator": 1, "annotation_id": 4, **times},
        data["a"] | {"id": 1, "answer": "unsure", "annotator": 2, "annotation_id": 5, **times},
        data["b"] | {"id": 2, "annotator": None, "annotation_id": None, "updated_at": None},
    ]
    path = root.parent / "short.json"
    path.write_text(json.dumps(records))
    done = fgbench.import_votes(path, root, annotators=PEOPLE)
    assert done.rejects == ()
    assert votes(root) == [
        "a.mp4,anna,wrath,1,2,1,2,2026-01-31T12:00:00Z",
        "a.mp4,ben,unsure,,,1,2,2026-01-31T12:00:00Z",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"does not begin with \["),
        ('{"a": 1}', r"does not begin with \["),
        ("[1]", "item 1 is no task"),
        ('[{"data": {"clip": "a"}}]', "names no clip, project and round"),
        ('[{"data": {}}', "names no clip"),
        ("[", "cut off or damaged"),
        ('[{"a": NaN}]', "item 1 names no clip"),
        ("[" * 100_000, "nested too deep"),
        (b"\xff\xfe[]", "is not UTF-8"),
        ("[] x", "goes on after the end"),
    ],
)
def test_damaged_exports(root, text, message):
    """A file that is no export is one clear error, and nothing is written."""
    path = root.parent / "bad.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DatasetError, match=message):
        fgbench.import_votes(path, root)
    assert not (root / "votes.csv").exists()


def test_export_that_is_cut_off_imports_nothing(root):
    """Tasks before the cut are not imported either."""
    path = write_export(root.parent / "cut.json", root / "annotation/round-1", {"a": [annotation(1)]})
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(DatasetError, match="cut off or damaged"):
        fgbench.import_votes(path, root, annotators=PEOPLE)
    assert not (root / "votes.csv").exists()


@pytest.mark.slow
@pytest.mark.parametrize(("step", "there"), [("write", 1), ("remember", 3)])
def test_killed_import_loses_and_doubles_nothing(root, step, there):
    """Killed before or after the table is replaced, the import done again ends in the same table."""
    folder = root / "annotation/round-1"
    imported(root, {"a": [annotation(1)]})
    path = write_export(
        root.parent / "more.json", folder, {"a": [annotation(1), annotation(2)], "b": [annotation(1)]}
    )
    script = (
        "import os, fgbench\n"
        "from fgbench.annotation import importing, votes_table\n"
        f"holder = votes_table.VotesTable if 'write' == {step!r} else importing\n"
        f"setattr(holder, {step!r}, lambda *_: os._exit(9))\n"
        f"fgbench.import_votes({str(path)!r}, {str(root)!r}, annotators={PEOPLE!r})\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 9
    assert len(votes(root)) == there
    done = fgbench.import_votes(path, root, annotators=PEOPLE)
    assert done.n_added == 3 - there
    assert [line.split(",")[:2] for line in votes(root)] == [
        ["a.mp4", "anna"],
        ["a.mp4", "ben"],
        ["b.mp4", "anna"],
    ]
    gone = imported(root, {})
    assert gone.withdrawn == (("a", "anna"), ("a", "ben"), ("b", "anna"))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_is_none_costs_its_answer_alone(root, number):
    """Some programs write such numbers into JSON: an answer with one is a reject row, a time is unknown."""
    odd, timeless = annotation(2, stars=7777), annotation(3, lead_time=8888)
    path = write_export(
        root.parent / "export.json", root / "annotation" / "round-1", {"a": [annotation(1), odd, timeless]}
    )
    text = path.read_text().replace("7777", number).replace("8888", number)
    path.write_text(text)
    done = fgbench.import_votes(path, root, annotators=PEOPLE)
    assert votes(root) == [
        "a.mp4,anna,anger,0.8,4,1,3.25,2026-01-31T12:01:00Z",
        "a.mp4,cem,anger,0.8,4,1,,2026-01-31T12:01:00Z",
    ]
    assert rejects(root) == [("a", "ben", "bad_answer")]
    assert "expected 1 to 5 stars" in done.rejects[0].detail
