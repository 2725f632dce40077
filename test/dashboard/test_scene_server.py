# SPDX-License-Identifier: Apache-2.0
"""viser's port: closed to everybody but the dashboard, and never shared."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import aiohttp
import pytest

from neuro_control.dashboard import scene_server
from neuro_control.dashboard.access import Access
from neuro_control.dashboard.scene_server import SECRET_HEADER, SceneAddress, may_pass, open_server
from neuro_control.dashboard.server import PageServer, listening_socket
from test.dashboard.conftest import until
from test.dashboard.test_server import ask, in_thread, stream_status

viser = pytest.importorskip("viser", reason="needs viser")
msgpack = pytest.importorskip("msgspec.msgpack", reason="needs msgspec")

PROTOCOL = f"viser-v{viser.__version__}"
SHARE = msgpack.encode({"type": "ShareUrlRequest"})
CAMERA = msgpack.encode(
    {
        "type": "ViewerCameraMessage",
        "wxyz": (1.0, 0.0, 0.0, 0.0),
        "position": (1.0, 2.0, 3.0),
        "fov": 1.0,
        "near": 0.01,
        "far": 1000.0,
        "image_height": 100,
        "image_width": 100,
        "look_at": (0.0, 0.0, 0.0),
        "up_direction": (0.0, 0.0, 1.0),
    }
)


class Tunnels:
    """Stands for viser's tunnel; counts who would have opened one."""

    opened = 0

    def __init__(self, *_: Any) -> None:
        Tunnels.opened += 1
        raise AssertionError("a tunnel was asked for")


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, SceneAddress]]:
    monkeypatch.setattr(viser._viser, "ViserTunnel", Tunnels)
    Tunnels.opened = 0
    server, address = open_server()
    yield server, address
    server.stop()
    assert Tunnels.opened == 0


@pytest.fixture
def proxied(scene: tuple[Any, SceneAddress]) -> Iterator[str]:
    listener = listening_socket("127.0.0.1", 0)
    port = int(listener.getsockname()[1])
    server = PageServer(listener, Access("127.0.0.1", port, ""), {}, lambda: scene[1])
    yield f"http://127.0.0.1:{port}/scene/"
    server.close()


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SECRET_HEADER: ""},
        {SECRET_HEADER: "wrong"},
        {"Origin": "http://evil.example"},
        {"Host": "evil.example"},
        {"Upgrade": "websocket"},
    ],
)
def test_without_the_secret_nothing_is_answered(
    scene: tuple[Any, SceneAddress], headers: dict[str, str]
) -> None:
    url = f"http://127.0.0.1:{scene[1].port}/"
    # websockets itself refuses what is half a handshake.
    assert ask("GET", url, headers)[0] in (400, 403, 426)
    assert stream_status(url, {SECRET_HEADER: "wrong"} | headers) == 403
    assert ask("GET", url, scene[1].headers)[0] == 200


def test_the_secret_is_new_each_time_and_not_printed(scene: tuple[Any, SceneAddress]) -> None:
    other, address = open_server()
    other.stop()
    assert address.secret != scene[1].secret
    assert scene[1].secret not in repr(scene[1])


def test_a_server_that_answers_anybody_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = threading.Event()
    stop = viser.ViserServer.stop

    def noted(self: Any) -> None:
        stop(self)
        stopped.set()

    monkeypatch.setattr(viser.ViserServer, "stop", noted)
    monkeypatch.setattr(scene_server, "_status", lambda *_: 200)
    with pytest.raises(RuntimeError, match="answers anybody"):
        open_server()
    assert stopped.is_set()


def say_to(url: str, messages: list[bytes], headers: dict[str, str], done: Any) -> None:
    async def run() -> None:
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(
                url, protocols=(PROTOCOL,), headers=headers, max_msg_size=0
            ) as stream,
        ):
            for message in messages:
                await stream.send_bytes(message)
            await asyncio.get_running_loop().run_in_executor(None, done)

    in_thread(run())


def heard(server: Any) -> list[str]:
    """Notes the types of the messages that viser takes in from now on."""
    said: list[str] = []
    messages = viser._messages
    for kind in (messages.ShareUrlRequest, messages.ShareUrlDisconnect, messages.GuiUpdateMessage):
        server._websock_server.register_handler(
            kind, lambda _, message: said.append(type(message).__name__)
        )
    return said


def test_viser_that_is_asked_to_share_does_not(scene: tuple[Any, SceneAddress]) -> None:
    server, address = scene
    said = heard(server)
    url = f"http://127.0.0.1:{address.port}/"

    def done() -> None:
        until(lambda: said and server.get_clients(), "viser has heard both")
        server._thread_executor.submit(lambda: None).result(10.0)

    say_to(url, [SHARE, CAMERA], address.headers, done)
    assert said == ["ShareUrlRequest"]
    assert server.request_share_url() is None


def test_of_what_a_page_says_only_its_place_reaches_viser(
    scene: tuple[Any, SceneAddress], proxied: str
) -> None:
    server = scene[0]
    said = heard(server)
    gui = msgpack.encode({"type": "GuiUpdateMessage", "uuid": "a", "updates": {}})
    end = msgpack.encode({"type": "ShareUrlDisconnect"})
    say_to(
        proxied,
        [SHARE, gui, end, b"\xc1", b"", CAMERA],
        {},
        lambda: until(server.get_clients, "viser knows the page"),
    )
    assert said == []


def test_a_scene_that_does_not_answer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    # One that is bound, and does not listen, belongs to nobody else meanwhile.
    with socket.socket() as dead:
        dead.bind(("127.0.0.1", 0))
        address = SceneAddress(int(dead.getsockname()[1]), "secret")
        listener = listening_socket("127.0.0.1", 0)
        port = int(listener.getsockname()[1])
        server = PageServer(listener, Access("127.0.0.1", port, ""), {}, lambda: address)
        try:
            status, said = ask("GET", f"http://127.0.0.1:{port}/scene/")
        finally:
            server.close()
    assert status == 502
    assert said.startswith("the 3D scene does not answer: Cannot connect")
    assert "secret" not in said
    assert caplog.text == ""


def test_what_passes() -> None:
    assert may_pass(CAMERA)
    for message in (
        SHARE,
        b"",
        b"\xc1",
        b"\x91" * 100_000,
        msgpack.encode(["ViewerCameraMessage"]),
        msgpack.encode({"type": ["ViewerCameraMessage"]}),
        msgpack.encode({"kind": "ViewerCameraMessage"}),
    ):
        assert not may_pass(message)
