"""``fgbench push`` and ``fgbench pull`` against a server on loopback, one that fails and lies too."""

import hashlib
import json
import logging
import shutil
from types import SimpleNamespace

import pytest
import yaml
from typer.testing import CliRunner

import fgbench
from fgbench.cli.app import app
from fgbench.errors import ConfigError, ManifestError, ResourceError
from fgbench.files.hashing import digest_json
from fgbench.publication.hub import contents, server
from fgbench.publication.layout import read_published
from tests.support import fake_hub
from tests.support.fake_hub import TOKEN
from tests.support.outside_work import contents as files_in

pytestmark = pytest.mark.slow

DATA, NET = "datasets/me/faces", "models/me/net"


def typed(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def hub(monkeypatch):
    """A running server, whose token is in the environment; what is tried again is so at once."""
    import huggingface_hub
    from huggingface_hub import constants
    from huggingface_hub.utils import _http

    assert huggingface_hub.__version__
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    quick = SimpleNamespace(**{**vars(_http.time), "sleep": lambda _: None})
    monkeypatch.setattr(_http, "time", quick)
    from huggingface_hub import file_download

    monkeypatch.setattr(file_download, "time", quick)
    with fake_hub.running() as running:
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setenv("HF_ENDPOINT", running.endpoint)
        yield running


def sealed(value):
    return json.dumps({**value, "digest": digest_json(value)}).encode()


def set_network(hub, listed, **files):
    """A repository of a network whose index lists what is given."""
    index = {"kind": contents.NETWORK_KIND, "format": 1, "name": "net", "synthetic": True, "files": listed}
    hub.repos[NET] = [
        {"network.json": sealed(index), **{name.replace("__", "."): data for name, data in files.items()}}
    ]


def described(data):
    return {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}


def test_a_publication_comes_back_as_it_was(plain, hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = typed("push", plain / "out", "me/faces")
    assert done.exit_code == 0, done.output
    assert f"publication: {len(files_in(plain / 'out'))} files in me/faces" in done.stdout
    assert hub.private == {DATA: True}
    assert {name for name in hub.files(DATA) if name != ".gitattributes"} == set(files_in(plain / "out"))
    done = typed("pull", "me/faces")
    assert done.exit_code == 0, done.output
    assert "rebuild faces --data-root CLIPS" in done.stdout
    assert files_in(tmp_path / "faces") == files_in(plain / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["faces"]
    read_published(tmp_path / "faces")
    again = typed("pull", "me/faces")
    assert again.exit_code == 3
    assert "faces is not empty" in again.stderr
    assert all(
        token == f"Bearer {TOKEN}" for method, path, token in hub.seen if not path.startswith("/upload")
    )
    assert [token for method, path, token in hub.seen if path.startswith("/upload")] == [None] * len(
        hub.large
    )


def test_a_second_push_replaces_the_first_and_deletes_what_is_no_more(plain, hub, tmp_path):
    pushed = fgbench.push(plain / "out", "me/faces", public=True, endpoint=hub.endpoint)
    assert pushed.url.startswith(f"{hub.endpoint}/{DATA}/commit/")
    assert hub.private == {DATA: False}
    hub.files(DATA)["folds/old.csv"] = b"clip_id,fold\n"
    fgbench.push(plain / "out", "me/faces")
    assert "folds/old.csv" not in hub.files(DATA)
    hub.repos["datasets/me/other"] = [{"notes.txt": b"mine"}]
    with pytest.raises(ConfigError, match=r"not empty: it holds notes.txt; nothing was sent"):
        fgbench.push(plain / "out", "me/other")
    assert hub.files("datasets/me/other") == {"notes.txt": b"mine"}


def test_pictures_of_real_faces_are_sent_only_when_asked(plain, hub, tmp_path):
    done = typed("push", plain / "work", "me/faces")
    assert done.exit_code == 3
    assert "has pictures of real faces; nothing was sent" in " ".join(done.stderr.split())
    assert hub.seen == []
    done = typed("push", plain / "work", "me/faces", "--with-pixels")
    assert done.exit_code == 0, done.output
    pulled = fgbench.pull("me/faces", tmp_path / "back")
    assert pulled.kind == "manifests"
    assert files_in(tmp_path / "back" / "manifests") == files_in(plain / "work" / "manifests")
    assert len(fgbench.open(tmp_path / "back").clips) == 9
    assert pulled.lines()[-1] == f"next: fgbench audit {tmp_path / 'back'}"
    audited = typed("audit", tmp_path / "back", "--jobs", 1)
    assert audited.exit_code == 11, "drawn faces are nearly equal"
    assert "train / test: 5 / 2 clips" in audited.output


def test_drawn_faces_are_sent_without_asking(plain, hub, tmp_path):
    shutil.copytree(plain / "work", tmp_path / "work")
    path = tmp_path / "work" / "manifests" / "index.json"
    index = {key: value for key, value in json.loads(path.read_text()).items() if key != "digest"}
    path.write_bytes(sealed({**index, "synthetic": True}))
    assert fgbench.push(tmp_path / "work", "me/faces").kind == "manifests"


def write_run(folder, **changes):
    folder.mkdir(parents=True)
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "README.md").write_text("# tiny\n\n- Kind: image\n")
    result = {
        "details": {"dataset": "made up", "synthetic": True},
        "metrics": {"uar": 0.5, "war": 0.625, "macro_f1": 0.25, "n": 8},
        **changes,
    }
    (folder / "result.json").write_text(json.dumps(result))
    return folder


def test_a_network_is_sent_with_a_card_and_its_scores(hub, tmp_path):
    run = write_run(tmp_path / "runs" / "tiny" / "0" / "0")
    assert fgbench.push(run, "me/net").kind == "network"
    assert set(hub.files(NET)) == {".gitattributes", "README.md", "network.json", "weights.safetensors"}
    from huggingface_hub import ModelCard

    card = ModelCard(hub.files(NET)["README.md"].decode())
    assert card.text.strip() == (run / "README.md").read_text().strip()
    assert (card.data.library_name, card.data.model_name, card.data.tags[-1]) == (
        "fgbench",
        "tiny",
        "synthetic",
    )
    scores = {one.metric_type: one.metric_value for one in card.data.eval_results}
    assert scores == {"uar": 0.5, "war": 0.625, "macro_f1": 0.25}
    assert {one.dataset_name for one in card.data.eval_results} == {"made up (synthetic)"}
    hub.files(NET)["README.md"] = b"edited on the Hub"
    done = typed("pull", "me/net", tmp_path / "back", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["kind"] == "network"
    assert (tmp_path / "back" / "weights.safetensors").read_bytes() == b"weights"
    assert (tmp_path / "back" / "README.md").read_text() == "edited on the Hub"


def test_exported_weights_are_sent_with_their_card(hub, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"weights")
    with pytest.raises(ManifestError, match=r"no model card beside it \(net.md\)"):
        fgbench.push(tmp_path / "net.safetensors", "me/net")
    (tmp_path / "net.md").write_text("# tiny\n\n- Kind: image\n")
    (tmp_path / "net.onnx").write_bytes(b"graph")
    fgbench.push(tmp_path / "net.safetensors", "me/net")
    header = yaml.safe_load(hub.files(NET)["README.md"].decode().split("---\n")[1])
    assert header["library_name"] == "fgbench"
    assert "model-index" not in header
    assert fgbench.pull("me/net", tmp_path / "back").files == 4
    assert (tmp_path / "back" / "model.onnx").read_bytes() == b"graph"


@pytest.mark.parametrize(
    ("where", "status", "told"),
    [
        ("POST /api/repos/create", 401, "the server says 401"),
        ("POST /api/repos/create", 403, "the server says 403"),
        ("GET .*/tree/", 500, "the server says 500"),
        ("POST .*/preupload/", 500, "the server says 500"),
        ("POST .*/lfs/objects/batch", 404, "the server says 404"),
        ("PUT /upload/", 403, "the server says 403"),
        ("POST .*/commit/", 500, "the server says 500"),
        ("POST .*/commit/", 0, "push to me/faces failed"),
        ("PUT /upload/", 0, "push to me/faces failed"),
    ],
)
def test_a_push_that_fails_leaves_the_repository_as_it_was(plain, hub, where, status, told, caplog):
    hub.failing[where] = status
    with caplog.at_level(logging.DEBUG):
        done = typed("push", plain / "out", "me/faces")
    assert done.exit_code == 8, done.output
    assert told in " ".join(done.stderr.split())
    assert len(hub.repos.get(DATA, [{}])) == 1
    for text in (done.output, done.stderr, caplog.text):
        assert TOKEN not in text
        assert "signed" not in text.replace("X-Amz-Signature=signed", "" if text is caplog.text else "signed")


@pytest.mark.parametrize(
    ("where", "status", "code"),
    [
        ("GET /api/", 401, 8),
        ("GET /api/", 404, 8),
        ("GET /api/", 500, 8),
        ("GET /api/", 0, 8),
        ("HEAD .*clips/train", 404, 8),
        ("GET .*/resolve/.*faces/train", 500, 8),
        ("GET .*/resolve/.*faces/train", 0, 8),
    ],
)
def test_a_pull_that_fails_writes_nothing(plain, hub, tmp_path, where, status, code, monkeypatch):
    fgbench.push(plain / "out", "me/faces")
    hub.failing[where] = status
    monkeypatch.setenv("FGBENCH_DEBUG", "1")  # tracebacks tell no token either
    done = typed("pull", "me/faces", tmp_path / "out")
    assert done.exit_code == code, done.output
    assert "pull of me/faces failed" in " ".join(done.stderr.split())
    assert TOKEN not in done.output + done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("faces/train.parquet", lambda data: data[:-1] + b"?"),
        ("faces/train.parquet", lambda data: data + b"more"),
        ("README.md", lambda data: data + b"<script>"),
        ("faces/train.parquet", None),
    ],
)
def test_other_bytes_than_the_index_lists_are_refused(plain, hub, tmp_path, name, change):
    fgbench.push(plain / "out", "me/faces")
    files = hub.files(DATA)
    files[name] = change(files[name]) if change else files.pop(name)
    if change is None:
        del files[name]
    with pytest.raises(ManifestError, match=name.replace(".", r"\.")):
        fgbench.pull("me/faces", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../evil.safetensors", "/etc/evil", "a/../../evil", "evil.py", ""])
def test_paths_that_lead_elsewhere_are_refused(hub, tmp_path, name):
    listed = {"weights.safetensors": described(b"w"), name: described(b"evil")}
    set_network(hub, listed, weights__safetensors=b"w")
    hub.files(NET)[name] = b"evil"
    (tmp_path / "in").mkdir()
    with pytest.raises(ManifestError, match="lists ") as caught:
        fgbench.pull("me/net", tmp_path / "in" / "net")
    assert "nothing was written" in caught.value.hint
    assert [path.name for path in tmp_path.rglob("*")] == ["in"]


def test_paths_of_publications_and_manifests_are_refused_too(plain, hub, tmp_path):
    fgbench.push(plain / "out", "me/faces")
    index = json.loads(hub.files(DATA)["published.json"])
    index.pop("digest")
    index["files"]["../evil.csv"] = described(b"evil")
    hub.files(DATA).update({"published.json": sealed(index), "../evil.csv": b"evil"})
    with pytest.raises(ManifestError, match="no index of a publication"):
        fgbench.pull("me/faces", tmp_path / "out")
    hub.repos.clear()
    fgbench.push(plain / "work", "me/faces", with_pixels=True)
    index = json.loads(hub.files(DATA)["index.json"])
    index.pop("digest")
    index["files"]["../../evil.csv"] = described(b"evil")
    hub.files(DATA).update({"index.json": sealed(index), "../../evil.csv": b"evil"})
    with pytest.raises(ManifestError, match="no index of manifests"):
        fgbench.pull("me/faces", tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_is_written_over_is_not_the_users(plain, hub, tmp_path):
    fgbench.push(plain / "out", "me/faces")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ResourceError, match="is a link"):
        fgbench.pull("me/faces", tmp_path / "link")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ResourceError, match="is a file"):
        fgbench.pull("me/faces", tmp_path / "file")
    (tmp_path / "empty").mkdir()
    assert fgbench.pull("me/faces", tmp_path / "empty").kind == "publication"
    assert (tmp_path / "file").read_text() == "mine"


def test_a_wrong_start_is_told(plain, hub, tmp_path, monkeypatch):
    assert typed("push", tmp_path, "me/faces").exit_code == 3
    assert typed("push", plain / "out", "no/such/name").exit_code == 3
    hub.repos["datasets/me/bare"] = [{"notes.txt": b""}]
    assert typed("pull", "me/bare", tmp_path / "out").exit_code == 7
    assert typed("pull", "me/nosuch", tmp_path / "out").exit_code == 8
    assert typed("pull", "me/bare", tmp_path / "out", "--endpoint", "ftp://x").exit_code == 3
    assert typed("pull", "me/bare", tmp_path / "out", "--endpoint", "http://a:b@127.0.0.1").exit_code == 3
    done = typed("pull", "me/bare", tmp_path / "out", "--endpoint", "http://example.org")
    assert done.exit_code == 3
    assert "no encryption" in done.stderr
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "token"))
    before = len(hub.seen)
    done = typed("push", plain / "out", "me/faces")
    assert done.exit_code == 3
    assert "there is no token" in done.stderr
    assert len(hub.seen) == before
    damaged = tmp_path / "damaged"
    shutil.copytree(plain / "out", damaged)
    (damaged / "recipe.yaml").write_text("other")
    assert typed("push", damaged, "me/faces").exit_code == 7


def test_secrets_are_taken_out_of_texts(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "a-token-of-another-form")
    text = "a-token-of-another-form hf_abcDEF123 Bearer xyz https://me:pw@host/p?X-Amz-Signature=abc&b=1 end"
    assert server.redacted(text) == "*** *** *** https://***host/p?*** end"


def test_without_the_package_it_is_told(plain, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "huggingface_hub", None)
    done = typed("push", plain / "out", "me/faces")
    assert done.exit_code == 9
    assert "pip install 'fgbench[hub]'" in done.stderr
