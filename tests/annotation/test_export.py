"""``fgbench annotate export``: files of a round, exported again, of other input, and bad input."""

import json
import xml.etree.ElementTree as ET
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

import fgbench
from fgbench.annotation import exporting
from fgbench.annotation.label_studio import push
from fgbench.annotation.project_file import read_project
from fgbench.annotation.strips import MAX_FRAMES, draw_strip, shown_frames
from fgbench.catalogue.inventory import take_inventory
from fgbench.config import load_prepare, with_changes
from fgbench.datasets.fg_emotions import list_clips
from fgbench.errors import ConfigError, DatasetError, ManifestError
from fgbench.media.video import open_video
from fgbench.taxonomy import leaves
from fgbench.workfolders.folder import write_origin
from tests.support.annotated_rounds import FIVE, exported, write_clips
from tests.support.video_files import write_clip


@pytest.fixture
def root(tmp_path):
    return write_clips(tmp_path / "clips")


def test_tasks_carry_clip_project_and_round(root):
    """Each task has its clip, project, round, rate and media, and not the place of known answers."""
    done = exported(root)
    tasks = json.loads((done.folder / "tasks.json").read_text())
    project = json.loads((done.folder / "project.json").read_text())
    assert {task["data"]["clip"] for task in tasks} == {"a", "b", "film1/c"}
    for task in tasks:
        data = task["data"]
        assert (data["project"], data["round"]) == (project["project"], 1)
        assert data["media"] == f"/data/local-files/?d=videos/{data['clip']}.mp4"
        assert data["last_frame"] == 9
        assert data["annotators"] == "|anna|ben|cem|dora|emil|"
    assert len(project["project"]) == 32
    assert done.n_dealt == dict.fromkeys(FIVE, 3)
    assert "cem 3" in (done.folder / "README.md").read_text()
    assert "`fgbench prepare --data-root ROOT` settles the votes" in (done.folder / "README.md").read_text()


def test_page_offers_the_class_tree(root):
    """The 33 leaves stand under their six upper classes, beside the reserved answers and the controls."""
    page = ET.fromstring((exported(root).folder / "labelling.xml").read_text())
    tree = page.find(".//Taxonomy")
    offered = {(leaf.get("value"), upper.get("value")) for upper in tree for leaf in upper}
    assert offered == {(leaf.name, leaf.basic) for leaf in leaves()}
    assert [one.get("value") for one in page.find(".//Choices")] == ["unsure", "not usable"]
    names = {one.get("name"): one.tag for one in page.iter() if one.get("name")}
    assert names == {
        "key_frame": "TimelineLabels",
        "clip": "Video",
        "label": "Taxonomy",
        "answer": "Choices",
        "confidence": "Rating",
    }


def test_classes_follow_settings_of_the_recipe(root):
    """As a dict, and as the command gives them, which is the same project."""
    settings = {"dataset.scheme": "found", "dataset.classes": ["Joy", "Woe"]}
    first = exported(root, settings=settings)
    page = ET.fromstring((first.folder / "labelling.xml").read_text())
    assert sorted(one.get("value") for one in page.find(".//Taxonomy")) == ["Joy", "Woe"]
    assert (
        exported(root, settings=["dataset.scheme=found", "dataset.classes=[Joy, Woe]"]).folder == first.folder
    )


def test_own_classes_are_offered_as_they_are_written(root, tmp_path):
    """Classes of a recipe stand in the page, with their signs, without upper classes."""
    recipe = tmp_path / "own.yaml"
    recipe.write_text(
        "extends: default\nname: own\n"
        'dataset: {scheme: found, classes: ["Wide <smile> & \\"grin\\"", Frown]}\n'
    )
    page = ET.fromstring((exported(root, recipe=str(recipe)).folder / "labelling.xml").read_text())
    assert sorted(one.get("value") for one in page.find(".//Taxonomy")) == ["Frown", 'Wide <smile> & "grin"']


def test_second_export_is_there_already(root):
    """The same input changes nothing; a file that was damaged is mended under the same project."""
    first = exported(root)
    before = {path.name: path.read_bytes() for path in first.folder.iterdir()}
    second = exported(root)
    assert not second.is_new
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before
    (first.folder / "labelling.xml").write_text("<View/>")
    assert exported(root).is_new
    assert {path.name: path.read_bytes() for path in first.folder.iterdir()} == before


def test_other_input_is_an_error_until_it_is_forced(root):
    """Another seed, or a changed clip, is refused; with ``force`` it is another project."""
    first = exported(root)
    with pytest.raises(ConfigError, match="exported of other clips, classes, annotators or settings"):
        exported(root, seed=1)
    write_clip(root / "videos" / "a.mp4", 7)
    with pytest.raises(ConfigError, match="--force to replace it"):
        exported(root)
    assert exported(root, force=True).project != first.project


def test_round_with_votes_is_never_replaced(root):
    """Votes of the round in votes.csv keep it, also from ``force``."""
    exported(root)
    (root / "votes.csv").write_text("clip,annotator,label\na,anna,anger\n")
    with pytest.raises(ConfigError, match=r"has 1 vote in votes\.csv: it is not replaced"):
        exported(root, seed=1, force=True)
    assert not exported(root).is_new


def test_shares_follow_from_the_seed(root):
    """Tasks and shares of a seed are the same in another folder; the project id is another."""
    people = [*FIVE, "fay", "gil"]
    one, two = (exported(root, annotators=people, out=root.parent / name, seed=4) for name in ("one", "two"))
    projects = [json.loads((done.folder / "project.json").read_text()) for done in (one, two)]
    assert projects[0]["tasks"] == projects[1]["tasks"]
    assert projects[0]["shares"] == projects[1]["shares"]
    assert one.project != two.project
    assert max(one.n_dealt.values()) - min(one.n_dealt.values()) <= 1


def test_known_answers_are_for_all_and_are_not_told(root):
    """Clips of gold.csv are voted on by all, and no task tells which they are."""
    (root / "gold.csv").write_text("clip,label,key_frame\na.mp4,anger,3\n")
    done = exported(root, annotators=[*FIVE, "fay"])
    tasks = {
        task["data"]["clip"]: task["data"] for task in json.loads((done.folder / "tasks.json").read_text())
    }
    assert done.n_gold == 1
    assert tasks["a"]["annotators"].count("|") == 7
    assert tasks["b"]["annotators"].count("|") == 6
    assert tasks["a"].keys() == tasks["b"].keys()
    assert "gold" not in (done.folder / "tasks.json").read_text()


@pytest.mark.parametrize("first", ["", "sep=;\r\n"])
def test_known_answers_are_read_as_a_spreadsheet_writes_them(root, first):
    """As ``prepare`` reads them."""
    (root / "gold.csv").write_text(
        f"\ufeff{first}Clip;Label\r\na.mp4;anger\r\n;\r\n", encoding="utf-8", newline=""
    )
    assert exported(root).n_gold == 1


def test_tabs_of_annotators_do_not_tell_known_answers(root):
    """All vote on known answers: the columns that say who votes, and how many did, are hidden."""
    done = exported(root, annotators=[*FIVE, "fay"])
    made = []
    server = SimpleNamespace(get=lambda *_, **__: [], post=lambda _, value: made.append(value["data"]))
    push._add_tabs(server, 1, read_project(done.folder))
    assert [tab["title"] for tab in made] == [*FIVE, "fay"]
    for tab in made:
        for where in ("explore", "labeling"):
            hidden = {*tab["hiddenColumns"][where]}
            assert {"tasks:data.annotators", "tasks:total_annotations", "tasks:annotations_results"} <= hidden
            assert not {"tasks:id", "tasks:data.media", "tasks:data.clip"} & hidden


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("nowhere,anger,", "no video or picture 'nowhere'"),
        ("a,joy of life,", "label 'joy of life' is none of the 33 classes"),
        ("a,anger,x", "key_frame is 'x', expected a whole number"),
        ("a,anger,1\na.mp4,anger,1", "clip a comes twice"),
    ],
)
def test_bad_known_answers(root, line, message):
    """A line of gold.csv that cannot be meant is named, and nothing is written."""
    (root / "gold.csv").write_text(f"clip,label,key_frame\n{line}\n")
    with pytest.raises(DatasetError, match=message):
        exported(root)
    assert not (root / "annotation").exists()


def test_strips_show_numbered_frames(root):
    """Strips are JPEG pictures of all frames, of long clips of some, and their page asks for a number."""
    done = exported(root, show="strips")
    pictures = sorted((done.folder / "strips").glob("*.jpg"))
    assert pictures
    assert cv2.imread(str(pictures[0])).shape[2] == 3
    task = json.loads((done.folder / "tasks.json").read_text())[0]["data"]
    assert task["media"].startswith("/data/local-files/?d=annotation/round-1/strips/")
    page = ET.fromstring((done.folder / "labelling.xml").read_text())
    assert page.find(".//Number").get("name") == "key_frame"
    assert page.find(".//Video") is None
    assert shown_frames(5) == [0, 1, 2, 3, 4]
    many = shown_frames(1000)
    assert len(many) == MAX_FRAMES
    assert (many[0], many[-1]) == (0, 999)
    assert many == sorted(set(many))


def test_strip_holds_the_frames_in_order(tmp_path):
    """Tiles of a strip are the frames of the clip, row by row, each below its number."""
    path = write_clip(tmp_path / "wide.mp4", 10, size=(320, 240))
    sheet = cv2.imdecode(np.frombuffer(draw_strip(path, 10), np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    with open_video(path) as reader:
        frames = [frame.rgb() for frame in reader.frames()]
    assert sheet.shape == (2 * (138 + 28 + 4), 6 * (184 + 4), 3)
    for number in (0, 3, 9):
        y, x = number // 6 * 170 + 28, number % 6 * 188
        wanted = cv2.resize(frames[number], (184, 138), interpolation=cv2.INTER_AREA)
        assert np.abs(sheet[y : y + 138, x : x + 184].astype(int) - wanted).mean() < 6
        assert sheet[y - 28 : y, x : x + 30].min() < 100  # the number


def test_round_in_the_data_set_is_no_data(root):
    """Strips below the data set are no clips of it, and no unused pictures."""
    exported(root, show="strips")
    assert exported(root, round=1, show="strips", annotators=FIVE).n_clips == 3
    (root / "votes.csv").write_text("clip,annotator,label\na,anna,anger\n")
    assert [entry.clip_id for entry in list_clips(root)] == ["a"]
    assert take_inventory(root, ["videos/a.mp4"]).media == 3


def test_unreadable_clip_is_left_out(root):
    """A file that is no video is named with its reason, and the round has the others."""
    (root / "videos/broken.mp4").write_bytes(b"no video")
    done = exported(root)
    assert done.n_clips == 3
    assert any("broken" in note and "unreadable" in note for note in done.notes)
    project = json.loads((done.folder / "project.json").read_text())
    assert [one[:2] for one in project["left_out"]] == [["broken", "unreadable"]]


def test_later_round_has_the_clips_that_are_voted_on_again(root, tmp_path):
    """Round 2 has the clips of reannotate.csv and the people of round 1, and known answers that are fresh."""
    (root / "gold.csv").write_text("clip,label\na,anger\n")
    exported(root)
    work = tmp_path / "work"
    with pytest.raises(ManifestError, match=r"no file .*reannotate.csv"):
        fgbench.export_tasks(root, round=2, workdir=work, progress=False)
    (work / "manifests").mkdir(parents=True)
    (work / "manifests/reannotate.csv").write_text("clip,why\nfilm1/c,label: 2 of 5 agree\n")
    (root / "votes.csv").write_text("clip,annotator,label,round\na,anna,anger,1\n")
    done = fgbench.export_tasks(root, round=2, workdir=work, progress=False)
    assert (done.n_clips, done.n_gold, list(done.n_dealt)) == (1, 0, FIVE)
    assert any("voted on them in an earlier round" in note for note in done.notes)
    with pytest.raises(DatasetError, match="clips of round 2, on which nobody has voted yet"):
        fgbench.export_tasks(root, round=3, workdir=work, progress=False)
    (work / "manifests/reannotate.csv").write_text("clip,why\n")
    with pytest.raises(DatasetError, match="the votes settled all"):
        fgbench.export_tasks(root, round=2, workdir=work, force=True, progress=False)


def test_known_answers_that_are_voted_on_again_are_not_told_as_left_out(root, tmp_path):
    """A clip of gold.csv that the votes did not settle is in the next round, as any other."""
    (root / "gold.csv").write_text("clip,label\na,anger\nfilm1/c,relief\n")
    exported(root)
    work = tmp_path / "work"
    (work / "manifests").mkdir(parents=True)
    (work / "manifests/reannotate.csv").write_text("clip,why\nfilm1/c,label: 2 of 5 agree\n")
    (root / "votes.csv").write_text("clip,annotator,label,round\na,anna,anger,1\nfilm1/c,anna,anger,1\n")
    done = fgbench.export_tasks(root, round=2, workdir=work, progress=False)
    assert done.n_clips == 1
    assert [note for note in done.notes if note.startswith("1 clip with known answers left out")]


def test_later_round_without_one_before_has_the_classes_of_the_work_folder(root, tmp_path):
    """Votes of a table on other classes than the 33 are followed by a round on the same classes."""
    work = tmp_path / "work"
    (work / "manifests").mkdir(parents=True)
    (work / "manifests/reannotate.csv").write_text("clip,why\na,label: 2 of 5 agree\n")
    recipe = with_changes(load_prepare("default"), ["dataset.scheme=parrott6"])
    write_origin(work, recipe.model_dump(mode="json"), root)
    for number, (more, n_classes) in enumerate([({}, 6), ({"recipe": "default"}, 33)]):
        done = exported(root, round=2, workdir=work, out=tmp_path / str(number), **more)
        assert len(json.loads((done.folder / "project.json").read_text())["classes"]) == n_classes


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"annotators": None}, "annotators: not given"),
        ({"annotators": []}, "annotators: names nobody"),
        ({"annotators": ["anna", "ANNA "]}, "one person in two spellings, 'anna' and 'ANNA'"),
        ({"annotators": ["anna", "anna"]}, "'anna' twice"),
        ({"annotators": ["a|b", "c"]}, "control character or a |"),
        ({"annotators": ["anna"]}, "annotators_per_clip: 5, and 1 are named"),
        ({"annotators_per_clip": 0}, "annotators_per_clip 0"),
        ({"tool": "paper"}, "tool 'paper', expected one of label-studio"),
        ({"show": "films"}, "show 'films', expected one of clips, strips"),
        ({"round": 0}, "round 0, expected a whole number"),
        ({"round": 100}, "round: 100, expected 1 to 99"),
        ({"seed": -1}, "seed -1"),
        ({"recipe": "no-such"}, "no-such"),
    ],
)
def test_bad_settings(root, settings, message):
    """A setting that cannot be meant is one clear error, and nothing is written."""
    with pytest.raises(ConfigError, match=message.replace("|", r"\|")):
        exported(root, **settings)
    assert not (root / "annotation").exists()


def test_names_come_from_a_file_too(root, tmp_path):
    """A file has a name on each line; one that is no text is an error."""
    people = tmp_path / "people.txt"
    people.write_text("\ufeffanna\n\nben\r\n cem \ndora\nemil\n", encoding="utf-8")
    assert list(exported(root, annotators=str(people)).n_dealt) == FIVE
    people.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        exported(root, annotators=str(people))


def test_folders_of_other_things(root, tmp_path):
    """No folder, one without clips, and a folder with something else are refused."""
    with pytest.raises(DatasetError, match="no folder"):
        exported(tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="has no video and no picture"):
        exported(tmp_path / "empty")
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.docx").write_text("mine")
    with pytest.raises(ConfigError, match=r"holds thesis\.docx"):
        exported(root, out=other)
    assert [path.name for path in other.iterdir()] == ["thesis.docx"]


def test_interrupted_export_is_done_again(root, monkeypatch):
    """A process that ends before the project is written leaves a folder that the next export takes."""

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "write_project", killed)
        with pytest.raises(KeyboardInterrupt):
            exported(root)
    assert not (root / "annotation/round-1/project.json").exists()
    assert exported(root).is_new
