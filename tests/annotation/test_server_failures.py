"""``fgbench annotate push`` and ``pull`` where the server is down or refuses; the token stays secret."""

import logging
import re
from urllib.parse import quote

import pytest

import fgbench
from fgbench.annotation.label_studio.access import TOKEN, is_open_to_others
from fgbench.annotation.label_studio.push import mark_of
from fgbench.annotation.label_studio.server import NoAnswerError, Server
from fgbench.annotation.project_file import read_project
from fgbench.errors import ConfigError, DatasetError, ManifestError, ResourceError
from tests.support.annotated_rounds import annotation, exported, votes, write_clips, write_export
from tests.support.fake_annotation_server import fake_server, told

SECRET = "s3cret" * 6
PERSONAL = "aaaa.bbbb.cccc"


@pytest.fixture
def root(tmp_path, monkeypatch):
    root = write_clips(tmp_path / "clips")
    exported(root)
    (tmp_path / "token.txt").write_text(f"{SECRET}\n")
    monkeypatch.delenv(TOKEN, raising=False)
    monkeypatch.setattr("fgbench.annotation.label_studio.server._FIRST_WAIT_S", 0.0)
    return root


def push(root, url):
    return fgbench.push_tasks(root, url, token_file=root.parent / "token.txt", progress=False)


def pull(root, url, **more):
    return fgbench.pull_votes(root, url, token_file=root.parent / "token.txt", **more)


@pytest.mark.parametrize("send", [push, pull])
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (told({"detail": f"bad token {SECRET}"}, 401), r"refuses the token \(status 401\): bad token \.\.\."),
        (told({"detail": "not yours"}, 403), r"refuses the token \(status 403\): not yours"),
        (told({}, 404), r"has nothing at /api/projects \(status 404\)"),
        (told({"detail": "broken"}, 500), r"refuses GET /api/projects \(status 500\): broken"),
        (told({}, 503), r"is not ready \(status 503\)"),
        ((200, {"Content-Type": "text/html"}, b"<html>"), "answers with something else than JSON"),
        (told("text"), "gives no list at /api/projects"),
        (told({"validation_errors": {"a": ["\x1b[31m" + "x" * 9000]}}, 400), r"\(status 400\)"),
        ((200, {}, b"[" * 100_000), "answers with something else than JSON"),
        ((400, {}, b"[" * 100_000), r"refuses GET /api/projects \(status 400\)"),
    ],
)
def test_refusals(root, caplog, capsys, send, answer, message):
    """Each is one clear error without the token, bounded and printable; no votes are written."""
    caplog.set_level(logging.DEBUG)
    with (
        fake_server(lambda *_: answer) as (url, heard),
        pytest.raises(ResourceError, match=message) as raised,
    ):
        send(root, url)
    assert len(heard) <= 5
    assert len(str(raised.value)) < 1000
    assert str(raised.value).replace("\n", "").isprintable()
    told_to_all = f"{raised.value!r}{raised.value}{caplog.text}{capsys.readouterr()}"
    assert SECRET not in told_to_all
    assert not (root / "votes.csv").exists()


@pytest.mark.parametrize("odd", [None, "7", True, [7], {"a": 1}])
@pytest.mark.parametrize("send", [push, pull])
def test_a_project_without_its_number(root, send, odd):
    """A server that lists our project without a number is a clear error."""
    mark = mark_of(read_project(root / "annotation" / "round-1"))
    listed = [{"id": odd, "description": mark}]
    with (
        fake_server(lambda *_: told(listed)) as (url, _),
        pytest.raises(ResourceError, match="names an item without its number"),
    ):
        send(root, url)


@pytest.mark.parametrize("form", ["{}", "%22{}"])
def test_no_form_of_the_token_is_told(root, form):
    """A token with signs that JSON and addresses escape."""
    token = 'abc"def+ghi/jkl'
    (root.parent / "token.txt").write_text(token)
    escaped = [quote(token, safe=""), quote(token)]
    refusals = [told({"detail": {"token": [token, *escaped]}}, 401)]
    refusals += [(302, {"Location": form.format(one)}, b"") for one in escaped]
    for answer in refusals:
        with (
            fake_server(lambda *_, answer=answer: answer) as (url, _),
            pytest.raises(ResourceError) as raised,
        ):
            push(root, url)
        assert "def" not in str(raised.value)


@pytest.mark.parametrize("send", [push, pull])
def test_server_that_is_down(root, send):
    """Nobody listens: an error after a bounded number of tries, which says how to go on."""
    with fake_server(lambda *_: told({})) as (url, _):
        pass
    with pytest.raises(ResourceError, match=r"cannot be reached \(ConnectError\)") as raised:
        send(root, url)
    assert "the same command continues" in raised.value.hint


def test_server_that_does_not_answer_in_time(root, monkeypatch):
    """A server that is silent is given up."""
    monkeypatch.setattr("fgbench.annotation.label_studio.server._READ_S", 0.05)
    monkeypatch.setattr("fgbench.annotation.label_studio.server._TRIES", 2)
    import threading

    free = threading.Event()

    def silent(*_):
        free.wait(20)
        return told({})

    with fake_server(silent) as (url, heard):
        with pytest.raises(ResourceError, match="does not answer in time"):
            push(root, url)
        free.set()
    assert len(heard) == 2


@pytest.mark.parametrize("send", [push, pull])
def test_token_follows_no_redirect(root, send):
    """A redirect to another host is an error that names it; nothing is sent there."""
    with (
        fake_server(lambda *_: told([])) as (other, heard_there),
        fake_server(lambda *_: (302, {"Location": f"{other}/api/projects"}, b"")) as (url, _),
        pytest.raises(ResourceError, match=f"redirects to {re.escape(other)}"),
    ):
        send(root, url)
    assert heard_there == []


def test_personal_token_is_exchanged_and_renewed(root):
    """A personal token goes to the refresh alone; an access that has run out is renewed once."""

    def answer(method, path, number):
        if path == "/api/token/refresh/":
            return told({"access": f"access{number}"})
        return told({"detail": "expired"}, 401) if number == 1 else told({"results": [], "count": 0})

    with fake_server(answer) as (url, heard), Server(url, PERSONAL) as server:
        assert server.get("/api/projects") == {"results": [], "count": 0}
    sent = [(path, headers.get("Authorization")) for _, path, headers, _ in heard]
    assert sent == [
        ("/api/token/refresh/", None),
        ("/api/projects", "Bearer access0"),
        ("/api/token/refresh/", None),
        ("/api/projects", "Bearer access2"),
    ]


def test_legacy_token_goes_in_the_header(root):
    """A token without dots is sent as it is."""
    with fake_server(lambda *_: told([])) as (url, heard), Server(url, SECRET) as server:
        server.get("/api/users")
    assert heard[0][2]["Authorization"] == f"Token {SECRET}"


def test_server_that_is_not_ready_is_asked_again(root):
    """Two failures, and then an answer: no error."""
    waits = []
    with fake_server(lambda *at: told({}, 502) if at[2] < 2 else told([])) as (url, heard):
        with Server(url, SECRET, wait=waits.append) as server:
            assert server.get("/api/users") == []
            assert len(heard) == 3
        with Server(url, SECRET) as server:
            assert server.post("/api/x", {}) == []
    assert len(waits) == 2


def test_what_may_not_be_done_twice_is_sent_once(root):
    """A POST whose answer is lost is not sent again by itself."""
    with (
        fake_server(lambda *_: told({}, 503)) as (url, heard),
        Server(url, SECRET) as server,
        pytest.raises(NoAnswerError),
    ):
        server.post("/api/projects", {})
    assert len(heard) == 1


def test_pull_of_a_round_that_was_not_pushed(root):
    """The server has other projects alone."""
    with (
        fake_server(lambda *_: told({"results": [{"id": 1, "description": None}], "count": 1})) as (url, _),
        pytest.raises(ConfigError, match="has no project with"),
    ):
        pull(root, url)


def test_project_that_is_there_twice(root):
    """Two projects with the id are an error, since votes would be split."""
    mark = f"[fgbench {exported(root).project}]"
    listed = {"results": [{"id": 1, "description": mark}, {"id": 2, "description": mark}], "count": 2}
    with (
        fake_server(lambda *_: told(listed)) as (url, _),
        pytest.raises(ResourceError, match="several times: 1, 2"),
    ):
        push(root, url)


def test_pull_takes_names_from_accounts(root):
    """Numbers of accounts become names by their addresses, or as it is told."""
    mark = f"[fgbench {exported(root).project}]"
    given = {"a": [annotation(1), annotation(2), annotation(3)]}
    export = write_export(root.parent / "x.json", root / "annotation/round-1", given).read_bytes()
    users = [
        {"id": 1, "email": "anna@lab.org"},
        {"id": 2, "email": "x@lab.org"},
        {"id": 3, "email": "y@lab.org"},
    ]

    def answer(_, path, __):
        if "/export" in path:
            return 200, {}, export
        return told(users if path.startswith("/api/users") else [{"id": 5, "description": mark}])

    with fake_server(answer) as (url, _):
        done = pull(root, url, annotators={"x@lab.org": "ben"})
    assert [line.split(",")[1] for line in votes(root)] == ["anna", "ben"]
    assert [(one.annotator, one.reason) for one in done.rejects] == [("y@lab.org", "unknown_annotator")]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("localhost:8080", "is no address of a server"),
        ("ftp://localhost", "is no address of a server"),
        ("http://", "is no address of a server"),
        ("http://x:99999", "is no address of a server"),
        ("http://me:pw@localhost", "holds a name, a password or a query"),
        ("http://localhost/?token=x", "holds a name, a password or a query"),
        ("", "url '', expected a name"),
    ],
)
def test_bad_addresses(root, url, message):
    """An address that is none is refused without showing a password in it."""
    with pytest.raises(ConfigError, match=re.escape(message)) as raised:
        push(root, url)
    assert "pw" not in str(raised.value)


@pytest.mark.parametrize("text", ["", "  \n", "two words", "ümlaut", "x" * 5000, "a\x00b"])
def test_bad_tokens(root, text):
    """A file that holds no token is refused without showing it."""
    (root.parent / "token.txt").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="holds no token") as raised:
        push(root, "http://localhost:1")
    assert not text.strip() or text.strip() not in str(raised.value)


@pytest.mark.parametrize("token", [SECRET, SECRET * 20, "a.b/" + SECRET])
def test_a_token_in_the_place_of_its_file_is_not_told(root, token):
    """It is taken for the name of a file, which may be longer than a file system allows."""
    with pytest.raises(ConfigError, match="no file of this name") as raised:
        fgbench.push_tasks(root, "http://localhost:1", token_file=token)
    assert SECRET not in f"{raised.value}{raised.value!r}"
    assert raised.value.__cause__ is None


def test_token_of_the_environment(root, monkeypatch):
    """Without a file the environment variable has it; without both there is an error."""
    with pytest.raises(ConfigError, match=f"environment variable {TOKEN} is not set"):
        fgbench.push_tasks(root, "http://localhost:1")
    monkeypatch.setenv(TOKEN, SECRET)
    with fake_server(lambda *_: told({"results": []})) as (url, heard), pytest.raises(ConfigError):
        fgbench.pull_votes(root, url)
    assert heard[0][2]["Authorization"] == f"Token {SECRET}"
    with pytest.raises(ConfigError, match="no file"):
        fgbench.push_tasks(root, "http://localhost:1", token_file=root / "no.txt")


def test_addresses_on_which_a_token_can_be_read():
    """Without TLS a token is safe on this machine alone."""
    assert is_open_to_others("http://lab.example:8080")
    assert not is_open_to_others("https://lab.example")
    assert not is_open_to_others("http://127.0.0.1:8080")


def test_clips_that_have_changed_are_not_sent(root):
    """A clip or a file of the round that is another than at the export stops the push."""
    mark = f"[fgbench {exported(root).project}]"

    def answer(_, path, __):
        if path.startswith("/api/projects?"):
            return told([{"id": 5, "description": mark}])
        if path.startswith("/api/tasks"):
            return told({"tasks": [], "total": 0})
        return told([] if "file-uploads" in path else {"label_config": ""})

    with fake_server(answer) as (url, heard):
        (root / "videos/a.mp4").write_bytes(b"other")
        (root / "videos/b.mp4").unlink()
        with pytest.raises(DatasetError, match=r"has changed since the export|no file .*b\.mp4"):
            push(root, url)
        (root / "annotation/round-1/labelling.xml").write_text("<View/>")
        with pytest.raises(ManifestError, match="has changed since the export"):
            push(root, url)
    assert not any(path.endswith("/import") and body[:1] == b"[" for _, path, _, body in heard)


def test_rounds_that_are_not_there(root):
    """No such round, and a folder that is none."""
    with pytest.raises(DatasetError, match="has no round 4"):
        fgbench.push_tasks(root, "http://localhost:1", round=4)
    with pytest.raises(DatasetError, match="holds no such round"):
        fgbench.push_tasks(root, "http://localhost:1", project=root)
