# SPDX-License-Identifier: Apache-2.0
"""The page's server: files, one stream of frames for all pages, and the buttons.

It runs in a thread of its own. Each page has a place for one frame; a page that is slow finds the
newest there and never learns of those between.
"""

from __future__ import annotations

import asyncio
import contextlib
import mimetypes
import socket
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiohttp import web

from neuro_control.dashboard.access import Access
from neuro_control.dashboard.requests import ActionError, RequestError, wanted_of
from neuro_control.dashboard.scene_proxy import SceneProxy
from neuro_control.dashboard.scene_server import SceneAddress
from neuro_control.reports.json_text import json_text

STATIC = Path(__file__).with_name("static")
LARGEST_REQUEST = 64 * 1024
PORTS_TRIED = 50
# Frames on their way to a page: one that is being drawn, one that waits.
MOST_UNDRAWN = 2
STOPS_AT_ONCE = 64
# A page that asks without anybody having pressed anything says so with this header.
BY_ITSELF = "X-By-Itself"
# A page that does not even take the close of its stream is left after this (s).
CLOSE_TIMEOUT_S = 2.0
# Nothing from elsewhere is loaded, and nobody else's page may frame this one.
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self' ws: wss:; frame-ancestors 'self'"
)
Action = Callable[[dict[str, Any]], dict[str, Any]]


class Client:
    """One open page: what it has not been sent yet."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = dict(texts)
        self.frame: bytes | None = None
        self.undrawn = 0
        self.wake = asyncio.Event()


class PageServer:
    """Serves the page on a bound socket until it is closed.

    actions: what POST /api/NAME does. `stop` and `release` have threads of their own, so that
        nothing else keeps a stop waiting, a release neither.
    scene_address: asked when a page wants the 3D scene; None where there is none.
    """

    def __init__(
        self,
        listener: socket.socket,
        access: Access,
        actions: dict[str, Action],
        scene_address: Callable[[], SceneAddress | None],
    ) -> None:
        self._listener = listener
        self._access = access
        self._actions = actions
        self._clients: set[Client] = set()
        self._texts: dict[str, str] = {}
        self._values: dict[str, Any] = {}
        # Made as needed: each stop that waits for its answer has one.
        self._stops = ThreadPoolExecutor(STOPS_AT_ONCE, thread_name_prefix="dashboard_stop")
        self._releases = ThreadPoolExecutor(2, thread_name_prefix="dashboard_release")
        self._others = ThreadPoolExecutor(4, thread_name_prefix="dashboard_action")
        self._scene = SceneProxy(scene_address, self._others, CLOSE_TIMEOUT_S, LARGEST_REQUEST)
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, args=(started,), name="dashboard_server", daemon=True
        )
        self._thread.start()
        started.wait()

    # From the frame loop's thread

    @property
    def pages(self) -> int:
        """Open pages."""
        return len(self._clients)

    def publish(self, frame: bytes, texts: dict[str, Any]) -> None:
        """Hand a frame to every page, and those texts that have changed."""
        # Compared before they are written: most frames change none.
        changed = {
            name: json_text({"kind": name, "value": value})
            for name, value in texts.items()
            if name not in self._values or self._values[name] != value
        }
        gone = self._values.keys() - texts.keys()
        self._values = texts
        for name in gone:
            changed[name] = json_text({"kind": name, "value": None})
        self._loop.call_soon_threadsafe(self._hand_out, frame, changed, gone)

    def close(self) -> None:
        """Serve no more; returns when it is over."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10.0)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5.0)
        for pool in (self._stops, self._releases, self._others):
            pool.shutdown(wait=False, cancel_futures=True)

    # In the server's thread

    def _run(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._open())
        started.set()
        self._loop.run_forever()
        self._loop.close()

    async def _open(self) -> None:
        app = web.Application(middlewares=[self._guarded], client_max_size=LARGEST_REQUEST)
        app.router.add_get("/", self._index)
        app.router.add_get("/ws", self._stream)
        app.router.add_get("/static/{name:[A-Za-z0-9_./-]+}", self._file)
        app.router.add_post("/api/{name}", self._act)
        app.router.add_get("/scene/", self._scene.answer)
        app.router.add_get("/scene", self._scene.answer)
        self._scene.open()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_TIMEOUT_S)
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()

    async def _close(self) -> None:
        for client in self._clients:
            client.wake.set()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._scene.close()

    def _hand_out(self, frame: bytes, changed: dict[str, str], gone: set[str]) -> None:
        self._texts.update(changed)
        for name in gone:
            self._texts.pop(name, None)
        for client in self._clients:
            client.texts.update(changed)
            client.frame = frame
            client.wake.set()

    @web.middleware
    async def _guarded(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        given = (
            bearer or request.query.get("token", "") or request.cookies.get(self._access.cookie, "")
        )
        upgrade = request.headers.get("Upgrade", "").lower() == "websocket"
        changes = request.method != "GET" or upgrade
        status, reason = self._access.refusal(request.headers, given, changes)
        if status:
            return web.json_response({"error": reason}, status=status)
        response = await handler(request)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers["X-Content-Type-Options"] = "nosniff"
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers.setdefault("Cache-Control", "no-cache")
        return response

    async def _index(self, request: web.Request) -> web.StreamResponse:
        if "token" in request.query:
            # Out of the address, which would be kept in histories and shown to bystanders.
            answer = web.Response(status=302, headers={"Location": "/"})
            answer.set_cookie(
                self._access.cookie,
                request.query["token"],
                httponly=True,
                samesite="Strict",
                path="/",
            )
            return answer
        return self._static("index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        return self._static(request.match_info["name"])

    def _static(self, name: str) -> web.StreamResponse:
        path = (STATIC / name).resolve()
        if not path.is_relative_to(STATIC.resolve()) or not path.is_file():
            raise web.HTTPNotFound(text=f"there is no {name}")
        kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        if path.suffix == ".js":
            kind = "text/javascript"
        return web.Response(body=path.read_bytes(), content_type=kind, charset="utf-8")

    async def _act(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        action = self._actions.get(name)
        if action is None:
            return web.json_response({"error": f"there is no action {name!r}"}, status=404)
        try:
            # A stop is a stop, whatever comes with it.
            wanted = {} if name == "stop" else wanted_of(await request.read())
        except ValueError as error:
            return web.json_response({"error": str(error)}, status=400)
        pool = {"stop": self._stops, "release": self._releases}.get(name, self._others)
        try:
            done = await asyncio.get_running_loop().run_in_executor(pool, action, wanted)
        except RequestError as error:
            return web.json_response({"error": str(error)}, status=400)
        except ActionError as error:
            # A script must see at once that what it asked for was not done; of what a page asks by
            # itself a refusal is an answer like any other, and no error in the browser's console.
            status = 200 if BY_ITSELF in request.headers else 409
            return web.json_response({"error": str(error)}, status=status)
        return web.json_response(done, dumps=json_text)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        stream = web.WebSocketResponse(
            heartbeat=10.0, compress=False, max_msg_size=LARGEST_REQUEST, timeout=CLOSE_TIMEOUT_S
        )
        await stream.prepare(request)
        client = Client(self._texts)
        self._clients.add(client)
        client.wake.set()
        sender = asyncio.create_task(self._send(stream, client))
        try:
            async for _ in stream:  # whatever a page says here: it has drawn a frame
                client.undrawn = max(client.undrawn - 1, 0)
                client.wake.set()
        finally:
            self._clients.discard(client)
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await sender
        return stream

    async def _send(self, stream: web.WebSocketResponse, client: Client) -> None:
        while not stream.closed:
            await client.wake.wait()
            client.wake.clear()
            texts, client.texts = client.texts, {}
            for text in texts.values():
                await stream.send_str(text)
            # What a page has not drawn yet would wait in its browser, and show the past.
            if client.frame is not None and client.undrawn < MOST_UNDRAWN:
                frame, client.frame = client.frame, None
                client.undrawn += 1
                await stream.send_bytes(frame)


def listening_socket(host: str, port: int) -> socket.socket:
    """A bound socket on `port`, or on one of the next if it is taken; port 0: any free one.

    Raises OSError naming the address if there is none.
    """
    ports = [0] if port == 0 else range(port, min(port + PORTS_TRIED, 65536))
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    failure: OSError | None = None
    for candidate in ports:
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
        except OSError as error:
            listener.close()
            failure = error
            continue
        listener.listen(64)
        return listener
    raise OSError(f"host {host!r}, port {port}: nothing can be served there ({failure})")
