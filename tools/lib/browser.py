"""A headless Chromium, driven by the DevTools protocol over a pipe: no driver, no port, no package.

https://chromedevtools.github.io/devtools-protocol/ has the methods and events. With --remote-debugging-pipe the browser reads
messages from descriptor 3 and writes to 4, each a text of JSON that ends with a zero byte.
"""

from __future__ import annotations

import base64
import json
import os
import queue
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str | None:
    """$CHROMIUM, else what is on the PATH."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)


class BrowserError(Exception):
    """The browser refused a message, has ended, or a script in the page threw."""


class Browser:
    """One process. It ends with this one at the latest: it reads its end from the pipe."""

    def __init__(self) -> None:
        found = program()
        if not found:
            raise BrowserError("no Chromium on the PATH: install it with tools/setup")
        self._profile = tempfile.mkdtemp(prefix="shake-browser-")
        read_by_browser, self._to = os.pipe()
        self._from, written_by_browser = os.pipe()
        # The descriptors are to be 3 and 4, which a shell can make them and `pass_fds` can't.
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", f'exec "$@" 3<&{read_by_browser} 4>&{written_by_browser}', "bash", found,
             "--headless=new", "--remote-debugging-pipe", "--no-sandbox", "--no-first-run", "--disable-gpu",
             "--disable-dev-shm-usage", "--disable-extensions", "--disable-background-networking",
             "--disable-component-update", "--disable-sync", "--hide-scrollbars", "--mute-audio", "--no-proxy-server",
             f"--user-data-dir={self._profile}", "about:blank"],
            pass_fds=(read_by_browser, written_by_browser), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )
        os.close(read_by_browser)
        os.close(written_by_browser)
        self._number = 0
        self._answers: dict[int, queue.Queue[dict[str, Any]]] = {}
        self._listeners: dict[str, Callable[[str, dict[str, Any]], None]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        buffer = b""
        while chunk := os.read(self._from, 1 << 20):
            buffer += chunk
            *whole, buffer = buffer.split(b"\0")
            for text in whole:
                message = json.loads(text)
                if "id" in message:
                    if waiting := self._answers.pop(message["id"], None):
                        waiting.put(message)
                elif listener := self._listeners.get(message.get("sessionId", "")):
                    listener(message["method"], message["params"])
        for waiting in self._answers.values():
            waiting.put({"error": {"message": "the browser has ended"}})

    def call(self, method: str, session: str | None = None, deadline: float = 30, **parameters: Any) -> dict[str, Any]:
        answer: queue.Queue[dict[str, Any]] = queue.Queue()
        with self._lock:
            self._number += 1
            number = self._number
            self._answers[number] = answer
            message = {"id": number, "method": method, "params": parameters}
            data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
            while data:
                data = data[os.write(self._to, data):]
        try:
            told = answer.get(timeout=deadline)
        except queue.Empty:
            raise BrowserError(f"{method}: no answer in {deadline:.0f} s") from None
        if "error" in told:
            raise BrowserError(f"{method}: {told['error']['message']}")
        return told["result"]

    def open(self, url: str, **view: Any) -> Page:
        """A page of its own, as if in a browser that was never used. `view` as `Page.look`."""
        context = self.call("Target.createBrowserContext")["browserContextId"]
        target = self.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, session, context)
        self._listeners[session] = page.heard
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            page.call(f"{domain}.enable")
        page.call("Emulation.setFocusEmulationEnabled", enabled=True)
        page.look(**view)
        page.call("Page.navigate", url=url)
        return page

    def close(self) -> None:
        try:
            self.call("Browser.close", deadline=5)
        except (BrowserError, OSError):
            self._process.kill()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for descriptor in (self._to, self._from):
            os.close(descriptor)
        shutil.rmtree(self._profile, ignore_errors=True)


class Page:
    def __init__(self, browser: Browser, session: str, context: str) -> None:
        self._browser = browser
        self._session = session
        self._context = context
        # What a developer would see in the console in red: errors, violations of the policy, answers that failed.
        self.complaints: list[str] = []
        self.requests: list[str] = []

    def heard(self, method: str, parameters: dict[str, Any]) -> None:
        match method:
            case "Runtime.exceptionThrown":
                details = parameters["exceptionDetails"]
                self.complaints.append(details.get("exception", {}).get("description") or details["text"])
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.complaints.append(" ".join(str(a.get("value", a.get("description"))) for a in parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **parameters)

    def look(
        self, width: int = 1280, height: int = 900, *, scheme: str = "light", scale: float = 1, is_still: bool = True
    ) -> None:
        """Through which window, and what the reader prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=scale,
            mobile=width < 600,
        )
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce" if is_still else "no-preference"},
        ])

    def run(self, script: str) -> Any:
        """What an expression in the page gives; a promise is waited for."""
        told = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if details := told.get("exceptionDetails"):
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return told["result"].get("value")

    def until(self, script: str, what: str = "", *, deadline: float = 30, every: float = 0.05) -> Any:
        """Asks again and again, until the expression gives something true."""
        end = time.monotonic() + deadline
        while True:
            try:
                answer = self.run(script)
            except BrowserError as error:
                # A page that is just being left has no context to ask.
                if "context" not in str(error):
                    raise
                answer = None
            if answer:
                return answer
            if time.monotonic() > end:
                raise AssertionError(f"after {deadline:.0f} s still not: {what or script}\n{self.text()[:3000]}")
            time.sleep(every)

    def text(self) -> str:
        """As a reader sees it."""
        return self.run("document.body.innerText")

    def press(self, key: str, code: int = 0, *, shift: bool = False) -> None:
        codes = {"Tab": 9, "Enter": 13, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code or codes[key], "modifiers": 8 if shift else 0}
        text = {"text": "\r"} if key == "Enter" else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", **common, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first one."""
        box = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.scrollIntoView({{block: 'center'}});"
            " const b = e.getBoundingClientRect(); return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=box[0], y=box[1], button="left", clickCount=1)

    def picture(self, path: str | os.PathLike[str], *, is_whole: bool = True, longest: int = 6000) -> None:
        """A PNG of the page, or of its window."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], longest), "scale": 1}
        told = self.call(
            "Page.captureScreenshot", format="png", **({"clip": clip, "captureBeyondViewport": True} if is_whole else {})
        )
        with open(path, "wb") as file:
            file.write(base64.b64decode(told["data"]))

    def close(self) -> None:
        self._browser.call("Target.disposeBrowserContext", browserContextId=self._context)
