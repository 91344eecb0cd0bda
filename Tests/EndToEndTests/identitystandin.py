"""STS, an instance's metadata, a container's agent and a DynamoDB that refuses, on the loopback interface, in this process."""

from __future__ import annotations

import json
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class IdentityStandin:
    """Gives credentials that say who gave them. What it was asked is in `asked`."""

    def __init__(self, secret: str = "standin-secret", token: str = "standin-session-token") -> None:
        self.secret = secret
        self.token = token
        # What to answer instead: (path or STS action) -> (status, body). `ECHO` in a body is what the request showed.
        self.refusals: dict[str, tuple[int, str]] = {}
        self.asked: list[str] = []
        # Of what is answered from now on, in seconds.
        self.lasting = 3600
        standin = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                status, text = standin.answer(self.command, self.path, self.headers, body)
                data = text.encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_PUT = do_POST = _answer

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, method: str, path: str, headers: Any, body: str) -> tuple[int, str]:
        fields = dict(urllib.parse.parse_qsl(body)) if method == "POST" else {}
        target = headers.get("X-Amz-Target")
        name = target.split(".")[-1] if target else fields.get("Action", path)
        self.asked.append(name)
        shown = " ".join(
            [fields.get("WebIdentityToken", ""), headers.get("x-amz-security-token") or "", headers.get("Authorization") or ""]
        )
        refusal = self.refusals.get(name) or (self.refusals.get("DynamoDB") if target else None)
        if refusal:
            return refusal[0], refusal[1].replace("ECHO", shown)
        if path == "/latest/api/token":
            return 200, "imds-token"
        if path.startswith("/latest/") and headers.get("x-aws-ec2-metadata-token") != "imds-token":
            return 401, ""
        if path.endswith("/security-credentials/"):
            return 200, "the-role"
        if path.endswith("/placement/region"):
            return 200, "us-east-1"
        if path.endswith("/the-role"):
            return 200, self._json("INSTANCE")
        if path == "/container":
            return 200, self._json("CONTAINER")
        if action := fields.get("Action"):
            return 200, f"""<{action}Response><{action}Result><Credentials><AccessKeyId>{fields["RoleArn"].split("/")[-1]}</AccessKeyId>
                <SecretAccessKey>{self.secret}</SecretAccessKey><SessionToken>{self.token}</SessionToken>
                <Expiration>{self._expiration()}</Expiration></Credentials></{action}Result></{action}Response>"""
        return 404, ""

    def _expiration(self) -> str:
        from datetime import datetime, timedelta, timezone

        return (datetime.now(timezone.utc) + timedelta(seconds=self.lasting)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _json(self, key: str) -> str:
        return json.dumps({
            "Code": "Success", "AccessKeyId": key, "SecretAccessKey": self.secret, "Token": self.token,
            "Expiration": self._expiration(),
        })


@contextmanager
def identity_standin() -> Iterator[IdentityStandin]:
    standin = IdentityStandin()
    try:
        yield standin
    finally:
        standin.stop()
