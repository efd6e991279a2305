"""Frames as tasks of Label Studio: one expert selects, another inspects; by files and by a server."""

import json
import re
import shutil

import pytest

import fgbench
from fgbench.datasets._tree import everything
from fgbench.errors import ArgumentError, ConfigError, DatasetError
from fgbench.media.images import decode
from tests.support.fake_annotation_server import fake_server, told
from tests.support.frame_exports import chosen, frame_export, write_frame_export
from tests.support.selection_folders import read_table, write_selection_work

CLIPS = {"film/b": ("anger", 4), "a": ("relief", 1), "c": ("panic", None)}
ADA, BEN = "ada@lab.example", {"id": 2, "email": "ben@lab.example"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    return write_selection_work(tmp_path_factory.mktemp("frames"), CLIPS)


@pytest.fixture
def folders(prepared, tmp_path):
    """Root, work folder, and tasks for ada to select from."""
    root = shutil.copytree(prepared[0], tmp_path / "data")
    return root, prepared[1], export(prepared[1], root, "ada").folder


def export(work, root, expert, **more):
    return fgbench.export_frame_tasks(work, expert, data=root, progress=False, **more)


def take(work, root, folder, annotations, **more):
    table = write_frame_export(root.parent / "export.json", folder, annotations)
    return fgbench.import_selection(table, work, root, **more)


ALL_OF_ADA = {
    "a": [chosen(ADA, [0, 1])],
    "c": [chosen(ADA, ["none"])],
    "film/b": [chosen(ADA, [3, 4, 5])],
}


def test_a_task_of_each_clip_shows_its_frames(folders):
    """The frames near the key frame are drawn side by side, and are the choices, with one for none."""
    root, work, folder = folders
    assert folder == root / "annotation" / "frames-select"
    tasks = {task["data"]["clip"]: task["data"] for task in json.loads((folder / "tasks.json").read_text())}
    assert [one["value"] for one in tasks["film/b"]["frames"]] == ["2", "3", "4", "5", "none"]
    assert [one["value"] for one in tasks["a"]["frames"]] == ["0", "1", "2", "none"]
    picture = folder / tasks["film/b"]["media"].partition("d=")[2]
    height, width = decode(picture.read_bytes()).shape[:2]
    assert width > 3 * height
    assert 'choice="multiple"' in (folder / "labelling.xml").read_text()
    again = export(work, root, "ada")
    assert (again.is_new, again.clips, again.frames) == (False, 3, 11)
    assert not [one for one in everything(root) if one.path.startswith("annotation/")]  # no data


def test_one_selects_and_another_inspects(folders):
    """The table names both; frames that are not confirmed are struck out."""
    root, work, folder = folders
    selected = take(work, root, folder, ALL_OF_ADA)
    assert (selected.clips, selected.frames, selected.is_inspected) == (2, 5, False)
    assert read_table(root / "selection.csv")[1:] == [
        ["a", "0", "ada", ""],
        ["a", "1", "ada", ""],
        ["film/b", "3", "ada", ""],
        ["film/b", "4", "ada", ""],
        ["film/b", "5", "ada", ""],
    ]
    inspection = export(work, root, "ben", inspect=True)
    assert (inspection.clips, inspection.frames) == (2, 5)
    confirmed = {"a": [chosen(BEN, [1])], "film/b": [chosen(BEN, [3, 4, 5])]}
    done = take(work, root, inspection.folder, confirmed)
    assert (done.frames, done.struck, done.is_inspected, done.rejected) == (4, 1, True, ())
    assert read_table(root / "selection.csv")[1:3] == [["a", "0", "ada", ""], ["a", "1", "ada", "ben"]]
    with pytest.raises(ConfigError, match="was inspected, and the new selection is not"):
        take(work, root, folder, ALL_OF_ADA)
    assert take(work, root, folder, ALL_OF_ADA, replace=True).is_inspected is False


@pytest.mark.parametrize(
    ("annotations", "message"),
    [
        ({**ALL_OF_ADA, "a": []}, "'ada' has not answered 1 clip of 3, e.g. a; nothing was written"),
        ({**ALL_OF_ADA, "a": [chosen(BEN, [0])]}, "unknown_expert: 'ben@lab.example' is not 'ada'"),
        ({**ALL_OF_ADA, "a": [chosen(ADA, [0, 9])]}, "bad_answer"),
        ({**ALL_OF_ADA, "a": [chosen(ADA, [0, "none"])]}, "bad_answer"),
        ({**ALL_OF_ADA, "a": [chosen(ADA, [])]}, "bad_answer"),
        ({**ALL_OF_ADA, "a": [chosen(ADA, [0], was_cancelled=True)]}, "skipped"),
        ({**ALL_OF_ADA, "a": [chosen(ADA, [0]), chosen(ADA, [1])]}, "several_answers"),
    ],
)
def test_clips_without_an_answer_stop_the_import(folders, annotations, message):
    """A clip that is not answered would count as without frames: nothing is written, the reason is told."""
    root, work, folder = folders
    with pytest.raises(DatasetError, match=re.escape(message)):
        take(work, root, folder, annotations)
    assert not (root / "selection.csv").exists()


def test_wrong_use(folders, tmp_path):
    """Inspection of nothing, of an own selection, or of no one's frames; an export of other tasks."""
    root, work, folder = folders
    with pytest.raises(ConfigError, match="is not there, or empty"):
        export(work, root, "ben", inspect=True)
    with pytest.raises(ConfigError, match="or for another expert"):
        export(work, root, "ben")
    (tmp_path / "other.json").write_text('[{"data": {"project": "x"}}]')
    with pytest.raises(DatasetError, match=r"which no project\.json of"):
        fgbench.import_selection(tmp_path / "other.json", work, root)
    take(work, root, folder, ALL_OF_ADA)
    with pytest.raises(ArgumentError, match="expected another expert to inspect"):
        export(work, root, "Ada", inspect=True)
    inspection = export(work, root, "ben", inspect=True)
    with pytest.raises(DatasetError, match="confirmed none of 5 frames"):
        take(work, root, inspection.folder, {clip: [chosen(BEN, ["none"])] for clip in ("a", "film/b")})
    with pytest.raises(DatasetError, match="expected a round of votes"):
        fgbench.pull_votes(root, "http://127.0.0.1:9", project=folder)


def test_tasks_go_to_a_server_and_answers_come_back(folders):
    """Push sends the pictures and tasks as it sends rounds of votes; pull imports what was selected."""
    root, _, folder = folders
    token = root.parent / "token.txt"
    token.write_text("t0ken")
    server = _Server()
    with fake_server(server.answer) as (url, heard):
        server.heard = heard
        pushed = fgbench.push_tasks(root, url, project=folder, token_file=token, progress=False)
        assert (pushed.n_tasks, pushed.n_sent, pushed.n_uploaded) == (3, 3, 3)
        assert {task["data"]["clip"] for task in server.tasks} == set(CLIPS)
        assert all(task["data"]["media"].startswith("/data/upload/") for task in server.tasks)
        assert server.project["title"] == "made up: frames-select"
        server.exported = frame_export(
            folder, {c: [one | {"completed_by": 1} for one in given] for c, given in ALL_OF_ADA.items()}
        )
        pulled = fgbench.pull_selection(root, url, folder, token_file=token)
    assert (pulled.clips, pulled.frames) == (2, 5)


class _Server:
    """What a server keeps of a project."""

    def __init__(self):
        self.project, self.tasks, self.files, self.exported, self.heard = None, [], [], [], []

    def answer(self, method, path, number):
        body = self.heard[number][3]
        place = path.partition("?")[0]
        if place == "/api/projects":
            if method == "POST":
                self.project = json.loads(body) | {"id": 1}
                return told(self.project, 201)
            return told({"count": bool(self.project), "results": [self.project] if self.project else []})
        if place == "/api/projects/1":
            if method == "PATCH":
                self.project |= json.loads(body)
            return told(self.project)
        if place == "/api/projects/1/file-uploads":
            return told(self.files)
        if place == "/api/projects/1/import":
            if b"filename=" in body[:500]:
                if len(set(re.findall(r"[$](\w+)", self.project["label_config"]))) > 1:
                    return told({"detail": "direct file upload supports only one data key"}, 400)
                name = re.search(rb'filename="([^"]+)"', body)[1].decode()
                self.files.append({"id": len(self.files), "file": f"upload/1/0123abcd-{name}"})
                return told({"file_upload_ids": [len(self.files) - 1]}, 201)
            self.tasks += [one | {"id": at} for at, one in enumerate(json.loads(body), len(self.tasks))]
            return told({}, 201)
        if place.startswith("/api/import/file-upload/"):
            return told(self.files[int(place.rpartition("/")[2])])
        if place == "/api/tasks":
            return told({"total": len(self.tasks), "tasks": self.tasks})
        if place == "/api/users":
            return told([{"id": 1, "email": ADA}])
        if place == "/api/projects/1/export":
            return told(self.exported)
        return told({}, 404)
