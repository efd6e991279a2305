"""A server on loopback with the part of the Hub's interface that a push and a pull need, without network.

Repositories are kept in memory, a commit is a dict of file name to bytes. Large files (Parquet, weights) take
the way of LFS. :attr:`FakeHub.failing` makes requests fail; all requests are noted in :attr:`FakeHub.seen`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "hf_" + "secretsecretsecret"
LARGE = (".parquet", ".safetensors", ".onnx")


class FakeHub:
    """State of the server.

    Attributes:
        repos: ``datasets/me/faces`` or ``models/me/net`` to its commits, each file name to bytes.
        private: The same to whether it is private.
        seen: Method, path and ``Authorization`` of all requests.
        failing: Pattern of ``"METHOD path"`` to a status; 0 cuts the connection, answers in half.
    """

    def __init__(self):
        self.repos, self.private, self.large = {}, {}, {}
        self.seen, self.failing = [], {}
        self.endpoint = ""

    def files(self, repo):
        return self.repos[repo][-1] if self.repos[repo] else {}

    def sha(self, repo):
        return hashlib.sha1(f"{repo} {len(self.repos[repo])}".encode()).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *_):
        pass

    def handle_one(self, method):
        hub, url = self.hub, urlsplit(self.path)
        path = unquote(url.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        hub.seen.append((method, path, self.headers.get("Authorization")))
        status = next(
            (code for pattern, code in hub.failing.items() if re.search(pattern, f"{method} {path}")), None
        )
        if status == 0 and "/resolve/" not in path:
            self.close_connection = True
            return
        if status:
            self.answer({"error": f"made to fail with {TOKEN}"}, status)
            return
        if (
            not path.startswith(("/api/validate-yaml", "/upload"))
            and self.headers.get("Authorization") != f"Bearer {TOKEN}"
        ):
            self.answer({"error": "Invalid username or password."}, 401)
            return
        for pattern, action in _ROUTES:
            match = re.fullmatch(pattern, f"{method} {path}")
            if match:
                action(self, body, *match.groups(), cut=status == 0, query=parse_qs(url.query))
                return
        self.answer({"error": f"no such route: {method} {path}"}, 404)

    def do_GET(self):
        self.handle_one("GET")

    def do_HEAD(self):
        self.handle_one("HEAD")

    def do_POST(self):
        self.handle_one("POST")

    def do_PUT(self):
        self.handle_one("PUT")

    def answer(self, value, status=200, headers=(), data=None, *, cut=False):
        data = json.dumps(value).encode() if data is None else data
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[: len(data) // 2] if cut else data)
        if cut and self.command != "HEAD":
            self.close_connection = True

    def missing(self, code="RepoNotFound"):
        self.answer({"error": "not found"}, 404, [("X-Error-Code", code)])

    def create(self, body, **_):
        asked = json.loads(body)
        owner, name = asked.get("organization") or "me", asked["name"]
        key = f"{asked.get('type', 'model')}s/{owner}/{name}"
        url = f"{self.hub.endpoint}/{'datasets/' if key.startswith('datasets') else ''}{owner}/{name}"
        if key in self.hub.repos:
            self.answer({"error": "You already created this repo", "url": url}, 409)
            return
        self.hub.repos[key], self.hub.private[key] = (
            [{".gitattributes": b"*.parquet filter=lfs\n"}],
            asked.get("private", asked.get("visibility") == "private"),
        )
        self.answer({"url": url, "name": f"{owner}/{name}", "id": f"{owner}/{name}"})

    def info(self, body, repo, revision=None, *, query, **_):
        if repo not in self.hub.repos:
            self.missing()
            return
        if revision not in (None, "main", self.hub.sha(repo)):
            self.missing("RevisionNotFound")
            return
        siblings = [
            {"rfilename": name, "size": len(data)} for name, data in sorted(self.hub.files(repo).items())
        ]
        name = repo.partition("/")[2]
        self.answer(
            {"id": name, "sha": self.hub.sha(repo), "private": True, "tags": [], "siblings": siblings}
        )

    def tree(self, body, repo, revision, **_):
        if repo not in self.hub.repos:
            self.missing()
            return
        files = sorted(self.hub.files(repo).items())
        self.answer(
            [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in files
            ]
        )

    def valid(self, body, **_):
        self.answer({"errors": [], "warnings": []})

    def preupload(self, body, repo, revision, **_):
        asked = json.loads(body)["files"]
        self.answer(
            {
                "files": [
                    {
                        "path": one["path"],
                        "uploadMode": "lfs" if one["path"].endswith(LARGE) else "regular",
                        "shouldIgnore": False,
                    }
                    for one in asked
                ]
            }
        )

    def batch(self, body, repo, **_):
        objects = [
            {
                **one,
                "authenticated": True,
                "actions": {
                    "upload": {
                        "href": f"{self.hub.endpoint}/upload/{one['oid']}?X-Amz-Signature=signed",
                        "header": {},
                    }
                },
            }
            for one in json.loads(body)["objects"]
        ]
        self.answer({"transfer": "basic", "objects": objects})

    def upload(self, body, oid, **_):
        if hashlib.sha256(body).hexdigest() != oid:
            self.answer({"error": "other bytes"}, 400)
            return
        self.hub.large[oid] = body
        self.answer({})

    def commit(self, body, repo, revision, **_):
        if repo not in self.hub.repos:
            self.missing()
            return
        files = dict(self.hub.files(repo))
        for line in map(json.loads, body.splitlines()):
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif line["key"] == "lfsFile":
                files[value["path"]] = self.hub.large[value["oid"]]
            elif line["key"] == "deletedFile":
                del files[value["path"]]
        self.hub.repos[repo].append(files)
        sha = self.hub.sha(repo)
        self.answer(
            {"success": True, "commitOid": sha, "commitUrl": f"{self.hub.endpoint}/{repo}/commit/{sha}"}
        )

    def resolve(self, body, prefix, name, revision, file, *, cut, **_):
        repo = f"{'datasets' if prefix else 'models'}/{name}"
        if repo not in self.hub.repos:
            self.missing()
            return
        if file not in self.hub.files(repo):
            self.missing("EntryNotFound")
            return
        data = self.hub.files(repo)[file]
        headers = [("ETag", f'"{hashlib.sha256(data).hexdigest()}"'), ("X-Repo-Commit", self.hub.sha(repo))]
        self.answer(None, 200, headers, data=data, cut=cut)


_REPO = r"((?:datasets|models)/[^/]+/[^/]+)"
_ROUTES = [
    (r"POST /api/repos/create", _Handler.create),
    (r"POST /api/validate-yaml", _Handler.valid),
    (rf"GET /api/{_REPO}", _Handler.info),
    (rf"GET /api/{_REPO}/revision/(.+)", _Handler.info),
    (rf"GET /api/{_REPO}/tree/([^/]+)", _Handler.tree),
    (rf"POST /api/{_REPO}/preupload/(.+)", _Handler.preupload),
    (rf"POST /api/{_REPO}/commit/(.+)", _Handler.commit),
    (r"POST /(.+)\.git/info/lfs/objects/batch", _Handler.batch),
    (r"PUT /upload/([0-9a-f]+)", _Handler.upload),
    (r"(?:GET|HEAD) /(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)", _Handler.resolve),
]


@contextmanager
def running():
    """Run a server for the time of the context."""
    hub = FakeHub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.endpoint = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
