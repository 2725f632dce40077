# SPDX-License-Identifier: Apache-2.0
"""The 3D scene behind the page's own address: what viser serves, passed on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import aiohttp
from aiohttp import web

from neuro_control.dashboard.scene_server import SceneAddress, may_pass

# viser's page is one file with everything in it.
SCENE_POLICY = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss: "
    "data: blob:; worker-src 'self' blob: data:; frame-ancestors 'self'"
)


class SceneProxy:
    """Passes a page's requests for the scene on to viser.

    address: asked for with each; None where there is none. threads: in which it is made when it is
    first asked for. close_timeout_s: how long a stream's end is waited for. largest_message: bytes
    of what a page sends.
    """

    def __init__(
        self,
        address: Callable[[], SceneAddress | None],
        threads: Executor,
        close_timeout_s: float,
        largest_message: int,
    ) -> None:
        self._address, self._threads = address, threads
        self._close_timeout_s, self._largest_message = close_timeout_s, largest_message
        self._session: aiohttp.ClientSession | None = None

    def open(self) -> None:
        """To be called in the server's loop."""
        self._session = aiohttp.ClientSession(auto_decompress=False)

    async def close(self) -> None:
        """Pass nothing on any more."""
        if self._session is not None:
            await self._session.close()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """What viser answers. 404 where there is no scene, 502 where viser does not answer."""
        # Made when first asked for, which takes a second.
        loop = asyncio.get_running_loop()
        scene = await loop.run_in_executor(self._threads, self._address)
        if scene is None or self._session is None:
            raise web.HTTPNotFound(text="there is no 3D scene")
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._stream(request, scene)
        try:
            passed = await self._page(self._session, request, scene)
        except (aiohttp.ClientError, asyncio.TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise web.HTTPBadGateway(text=f"the 3D scene does not answer: {why}") from error
        passed.headers["Content-Security-Policy"] = SCENE_POLICY
        return passed

    async def _page(
        self, session: aiohttp.ClientSession, request: web.Request, at: SceneAddress
    ) -> web.Response:
        async with session.get(
            f"http://127.0.0.1:{at.port}/",
            headers=at.headers | {"Accept-Encoding": request.headers.get("Accept-Encoding", "")},
        ) as answer:
            passed = web.Response(body=await answer.read(), status=answer.status)
            for name in ("Content-Type", "Content-Encoding"):
                if name in answer.headers:
                    passed.headers[name] = answer.headers[name]
        return passed

    async def _stream(self, request: web.Request, at: SceneAddress) -> web.StreamResponse:
        wanted = request.headers.get("Sec-WebSocket-Protocol", "")
        protocols = tuple(word.strip() for word in wanted.split(",") if word.strip())
        page = web.WebSocketResponse(
            protocols=protocols,
            compress=False,
            timeout=self._close_timeout_s,
            max_msg_size=self._largest_message,
        )
        await page.prepare(request)
        session = self._session
        if session is None:
            return page
        with contextlib.suppress(aiohttp.ClientError, ConnectionError):
            async with session.ws_connect(
                f"ws://127.0.0.1:{at.port}/",
                protocols=protocols,
                headers=at.headers,
                compress=0,
                max_msg_size=0,
            ) as scene:
                ways = {
                    asyncio.create_task(_pass_on(page, scene, may_pass)),
                    asyncio.create_task(_pass_on(scene, page, lambda _: True)),
                }
                _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
                for way in left:
                    way.cancel()
                await asyncio.gather(*ways, return_exceptions=True)
        await page.close()
        return page


async def _pass_on(source: Any, sink: Any, passes: Callable[[bytes], bool]) -> None:
    # viser speaks in bytes alone.
    async for message in source:
        if message.type is aiohttp.WSMsgType.BINARY and passes(message.data):
            await sink.send_bytes(message.data)
