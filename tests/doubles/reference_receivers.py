"""Receivers on loopback: those of docs/receiver.md, and any function of headers and body."""

import json
import re
import subprocess
import threading
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.doubles.node import FOLDER

DOCS = FOLDER.parents[1] / "docs" / "receiver.md"


def snippet(language):
    """The one code block of docs/receiver.md in this language."""
    (code,) = re.findall(rf"^```{language}\n(.*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    return code


class Python:
    """The Python receiver of the docs."""

    def __init__(self, secret, folder, monkeypatch):
        monkeypatch.setenv("WEBHOOK_SECRET", secret)
        monkeypatch.setenv("DATABASE", str(folder / "receiver.sqlite3"))
        self.names = {}
        exec(compile(snippet("python"), "docs/receiver.md", "exec"), self.names)

    def receive(self, headers, body):
        return self.names["receive"](headers, body)

    def latest(self):
        rows = self.names["database"].execute("SELECT body FROM latest ORDER BY external_id")
        return [json.loads(body) for (body,) in rows]

    def close(self):
        self.names["database"].close()


class JavaScript:
    """The JavaScript receiver of the docs, in a process of its own."""

    def __init__(self, secret, folder, node):
        script = folder / "receiver.js"
        script.write_text(snippet("javascript"))
        environment = {**node.environment, "WEBHOOK_SECRET": secret}
        line = [*node.command(FOLDER / "serve.js"), str(script)]
        self.process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
        self.url = f"http://127.0.0.1:{int(self.process.stdout.readline())}/"

    def latest(self):
        with urllib.request.urlopen(self.url) as answer:
            return sorted(json.load(answer), key=lambda event: event["external_id"])

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


@contextmanager
def served(receive):
    """The address of a server; `receive(headers, body)` returns a status, or a status and a text."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = receive({name.lower(): value for name, value in self.headers.items()}, body)
            status, text = answer if isinstance(answer, tuple) else (answer, "")
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
