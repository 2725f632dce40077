# SPDX-License-Identifier: Apache-2.0
"""The server: who is let in, frames for all, buttons that answer, nothing kept of who has gone."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import aiohttp
import pytest

from neuro_control.dashboard.access import Access
from neuro_control.dashboard.requests import ActionError, RequestError
from neuro_control.dashboard.server import PageServer, listening_socket
from test.dashboard.conftest import LIMIT_S, until

Found = TypeVar("Found")


class Served:
    """A server with a button that works, one that refuses, and one that hangs until it is let."""

    def __init__(self, token: str = "") -> None:
        listener = listening_socket("127.0.0.1", 0)
        self.port = int(listener.getsockname()[1])
        self.release = threading.Event()
        self.pressed: list[Any] = []
        self.hanging = 0
        self.actions = {
            "stop": self._press,
            "release": self._refuse,
            "set": self._refuse,
            "probe": self._refuse,
            "record": self._misread,
            "controls": self._hang,
        }
        access = Access("127.0.0.1", self.port, token)
        self.server = PageServer(listener, access, self.actions, lambda: None)
        self.url = f"http://127.0.0.1:{self.port}"

    def _press(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self.pressed.append(wanted)
        return {"success": True}

    def _refuse(self, wanted: dict[str, Any]) -> dict[str, Any]:
        raise ActionError(f"no {wanted}")

    def _misread(self, wanted: dict[str, Any]) -> dict[str, Any]:
        raise RequestError(f"{wanted} must be on")

    def _hang(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self.hanging += 1
        self.release.wait(30.0)
        return wanted

    def close(self) -> None:
        self.release.set()
        self.server.close()


@pytest.fixture
def served() -> Iterator[Served]:
    made = Served()
    yield made
    made.close()


@pytest.fixture
def guarded() -> Iterator[Served]:
    made = Served("secret")
    yield made
    made.close()


def in_thread(work: Coroutine[Any, Any, Found]) -> Found:
    """Run it in a thread of its own: the browser's driver may have a loop in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def ask(
    method: str, url: str, headers: dict[str, str] | None = None, data: bytes | None = None
) -> tuple[int, str]:
    async def run() -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, url, headers=headers, data=data, allow_redirects=False
            ) as answer,
        ):
            return answer.status, await answer.text()

    return in_thread(run())


def stream_status(url: str, headers: dict[str, str] | None = None) -> int:
    """The status with which a stream is refused, 101 if it is not."""

    async def run() -> int:
        async with aiohttp.ClientSession() as session:
            try:
                async with session.ws_connect(url, headers=headers):
                    return 101
            except aiohttp.WSServerHandshakeError as error:
                return error.status

    return in_thread(run())


PATHS = [("GET", "/"), ("GET", "/static/app.js"), ("GET", "/scene/"), ("POST", "/api/stop")]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_every_request_needs_the_token(guarded: Served, method: str, path: str) -> None:
    assert ask(method, guarded.url + path)[0] == 401
    assert ask(method, f"{guarded.url}{path}?token=wrong")[0] == 403
    wrong = {"Cookie": f"neuro_control_dashboard_{guarded.port}=wrong"}
    assert ask(method, guarded.url + path, wrong)[0] == 403
    right = {"Authorization": "Bearer secret"}
    assert ask(method, guarded.url + path, right)[0] in (200, 404)  # there is no scene
    assert guarded.pressed == ([{}] if method == "POST" else [])


def test_the_stream_needs_it_too(guarded: Served) -> None:
    assert stream_status(f"{guarded.url}/ws") == 401
    assert stream_status(f"{guarded.url}/ws?token=wrong") == 403
    assert stream_status(f"{guarded.url}/ws?token=secret") == 101
    assert stream_status(f"{guarded.url}/scene/") == 401


def test_the_token_goes_from_the_address_into_a_cookie_that_scripts_cannot_read(
    guarded: Served,
) -> None:
    async def run() -> tuple[int, str, str]:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{guarded.url}/?token=secret", allow_redirects=False) as answer,
        ):
            return answer.status, answer.headers["Location"], answer.headers["Set-Cookie"]

    status, place, cookie = in_thread(run())
    assert (status, place) == (302, "/")
    # Pages on other ports of this host have cookies of their own.
    assert cookie.startswith(f"neuro_control_dashboard_{guarded.port}=secret")
    mine = {"Cookie": f"neuro_control_dashboard_{guarded.port}=secret"}
    assert ask("GET", guarded.url, mine)[0] == 200
    assert ask("GET", guarded.url, {"Cookie": "neuro_control_dashboard_1=secret"})[0] == 401
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie


@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
def test_foreign_pages_and_names_are_refused(served: Served, headers: dict[str, str]) -> None:
    for method, path in PATHS:
        assert ask(method, served.url + path, headers)[0] == 403
    assert stream_status(f"{served.url}/ws", headers) == 403
    assert served.pressed == []


def test_an_answer_is_json_to_every_browser(served: Served) -> None:
    served.actions["set"] = lambda _: {"value": float("inf")}
    assert ask("POST", f"{served.url}/api/set") == (200, '{"value":null}')


def test_buttons_answer_refuse_and_say_why(served: Served) -> None:
    assert ask("POST", f"{served.url}/api/stop") == (200, '{"success":true}')
    assert served.pressed == [{}]
    # What the page asks by itself may be refused; to whoever presses a button that is an error.
    by_itself = {"X-By-Itself": "1"}
    answer = ask("POST", f"{served.url}/api/probe", by_itself, data=b"{}")
    assert answer == (200, '{"error": "no {}"}')
    for name in ("set", "release", "probe"):
        status, text = ask("POST", f"{served.url}/api/{name}")
        assert (status, json.loads(text)) == (409, {"error": "no {}"})
    status, text = ask("POST", f"{served.url}/api/record")
    assert (status, json.loads(text)) == (400, {"error": "{} must be on"})
    assert ask("POST", f"{served.url}/api/nothing")[0] == 404
    assert ask("GET", f"{served.url}/api/stop")[0] == 405


BAD_BODIES = [
    b"[1]",
    b"null",
    b"nonsense",
    b"\xff",
    b'{"a": ' + b"[" * 30_000,
    b'{"a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"value": 1' + b"0" * 400 + b"}",
    b'{"value": [{"a": 1' + b"0" * 400 + b"}]}",
    b'{"value": 1' + b"0" * 5000 + b"}",
    b'{"value": 1e400}',
    b'{"value": NaN}',
    b'{"value": "\\ud800"}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=range(len(BAD_BODIES)))
def test_what_cannot_be_read_is_refused_but_a_stop_is_a_stop(served: Served, body: bytes) -> None:
    for name in ("set", "release", "controls"):
        status, text = ask("POST", f"{served.url}/api/{name}", data=body)
        assert status == 400
        assert "JSON" in json.loads(text)["error"]
    assert ask("POST", f"{served.url}/api/stop", data=body) == (200, '{"success":true}')
    assert served.pressed == [{}]


def test_a_stop_that_is_larger_than_any_request_may_be_stops(served: Served) -> None:
    assert ask("POST", f"{served.url}/api/stop", data=b"x" * 200_000)[0] == 200
    assert served.pressed == [{}]


def test_a_stop_is_answered_while_all_other_buttons_hang(
    served: Served,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(served.actions, "release", served._hang)

    async def run() -> int:
        async with aiohttp.ClientSession() as session:
            hanging = [
                asyncio.create_task(session.post(f"{served.url}/api/{name}"))
                for name in ("controls", "release") * 6
            ]
            while served.hanging < 4 + 2:  # as many as there are threads for them
                await asyncio.sleep(0.001)
            async with session.post(f"{served.url}/api/stop") as answer:
                status = answer.status
            assert not any(task.done() for task in hanging)
            served.release.set()
            for answered in await asyncio.gather(*hanging):
                answered.release()
            return status

    assert in_thread(run()) == 200


@pytest.mark.parametrize("name", ["../server.py", "nothing.js", "..%2f..%2fserver.py"])
def test_only_the_pages_own_files_are_served(served: Served, name: str) -> None:
    assert ask("GET", f"{served.url}/static/{name}")[0] == 404


def test_every_page_gets_the_newest_frame_and_all_texts_and_leaves_nothing(served: Served) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            streams = [await session.ws_connect(f"{served.url}/ws") for _ in range(3)]
            until(lambda: served.server.pages == 3, "three pages")
            for number in range(5):
                served.server.publish(bytes([number]), {"about": {"n": number // 4}})
            for stream in streams:
                texts, frame = [], b""
                while frame != b"\x04":
                    message = await stream.receive(LIMIT_S)
                    if message.type is aiohttp.WSMsgType.TEXT:
                        texts.append(json.loads(message.data))
                    else:
                        frame = message.data
                        await stream.send_str("drawn")
                assert texts[-1] == {"kind": "about", "value": {"n": 1}}
            served.server.publish(b"x", {})
            late = await session.ws_connect(f"{served.url}/ws")
            message = await streams[0].receive(LIMIT_S)
            assert json.loads(message.data) == {"kind": "about", "value": None}
            for stream in (*streams, late):
                await stream.close()

    in_thread(run())
    until(lambda: served.server.pages == 0, "nobody looks any more")


def test_a_page_that_draws_nothing_is_sent_no_more_than_two_frames(served: Served) -> None:
    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            page = await session.ws_connect(f"{served.url}/ws")
            until(lambda: served.server.pages == 1, "a page")

            async def frames(count: int) -> list[bytes]:
                found: list[bytes] = []
                while len(found) < count:
                    message = await page.receive(LIMIT_S)
                    if message.type is aiohttp.WSMsgType.BINARY:
                        found.append(message.data)
                return found

            shown = []
            for number in range(2):
                served.server.publish(bytes([number]), {})
                shown += await frames(1)
            for number in range(2, 9):
                served.server.publish(bytes([number]), {"said": number})
            await page.send_str("drawn")
            shown += await frames(1)
            await page.close()
            assert shown == [b"\x00", b"\x01", b"\x08"]  # the newest, and none between

    in_thread(run())


def test_the_next_port_is_taken_where_one_is_taken() -> None:
    first = listening_socket("127.0.0.1", 0)
    port = first.getsockname()[1]
    second = listening_socket("127.0.0.1", port)
    try:
        assert second.getsockname()[1] > port
        with pytest.raises(OSError, match=r"192\.0\.2\.1"):
            listening_socket("192.0.2.1", 0)
    finally:
        first.close()
        second.close()
