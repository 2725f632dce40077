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
from neuro_control.dashboard.server import ActionError, PageServer, listening_socket
from test.dashboard.conftest import until

Found = TypeVar("Found")


class Served:
    """A server with a button that works, one that refuses, and one that hangs until it is let."""

    def __init__(self, token: str = "") -> None:
        listener = listening_socket("127.0.0.1", 0)
        self.port = int(listener.getsockname()[1])
        self.release = threading.Event()
        self.pressed: list[Any] = []
        actions = {
            "stop": self._press,
            "release": self._refuse,
            "set": self._refuse,
            "controls": self._hang,
        }
        access = Access("127.0.0.1", self.port, token)
        self.server = PageServer(listener, access, actions, lambda: None)
        self.url = f"http://127.0.0.1:{self.port}"

    def _press(self, wanted: dict[str, Any]) -> dict[str, Any]:
        self.pressed.append(wanted)
        return {"success": True}

    def _refuse(self, wanted: dict[str, Any]) -> dict[str, Any]:
        raise ActionError(f"no {wanted}")

    def _hang(self, wanted: dict[str, Any]) -> dict[str, Any]:
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
    wrong = {"Cookie": "neuro_control_dashboard=wrong"}
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


def test_buttons_answer_refuse_and_say_why(served: Served) -> None:
    assert ask("POST", f"{served.url}/api/stop", data=b'{"a": 1}') == (200, '{"success": true}')
    assert served.pressed == [{"a": 1}]
    assert ask("POST", f"{served.url}/api/set", data=b"{}") == (200, '{"error": "no {}"}')
    status, text = ask("POST", f"{served.url}/api/release")
    assert (status, json.loads(text)) == (409, {"error": "no {}"})
    assert ask("POST", f"{served.url}/api/nothing")[0] == 404
    assert ask("POST", f"{served.url}/api/stop", data=b"[1]")[0] == 400
    assert ask("POST", f"{served.url}/api/stop", data=b"nonsense")[0] == 400
    assert ask("GET", f"{served.url}/api/stop")[0] == 405


def test_a_stop_is_answered_while_all_other_buttons_hang(served: Served) -> None:
    async def run() -> int:
        async with aiohttp.ClientSession() as session:
            hanging = [
                asyncio.create_task(session.post(f"{served.url}/api/controls")) for _ in range(12)
            ]
            await asyncio.sleep(0)
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
                    message = await stream.receive(5.0)
                    if message.type is aiohttp.WSMsgType.TEXT:
                        texts.append(json.loads(message.data))
                    else:
                        frame = message.data
                assert texts[-1] == {"kind": "about", "value": {"n": 1}}
            served.server.publish(b"x", {})
            late = await session.ws_connect(f"{served.url}/ws")
            message = await streams[0].receive(5.0)
            assert json.loads(message.data) == {"kind": "about", "value": None}
            for stream in (*streams, late):
                await stream.close()

    in_thread(run())
    until(lambda: served.server.pages == 0, "nobody looks any more")


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
