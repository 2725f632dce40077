# SPDX-License-Identifier: Apache-2.0
"""viser's server, closed: whoever reaches its port finds nothing that this process did not ask.

viser has neither a password nor a look at where a request comes from, and it obeys its clients:
one message opens a public tunnel to it. Here its port answers only requests that carry a secret
of this process, it never tunnels, and of what a page says to it only the camera's place passes.
"""

from __future__ import annotations

import contextlib
import hmac
import http.client
import io
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

SECRET_HEADER = "X-Neuro-Control-Scene"
# What a page may say: from where it looks. Without it viser does not count the page as there.
PASSED = frozenset({"ViewerCameraMessage"})
CHECK_TIMEOUT_S = 5.0


@dataclass(frozen=True)
class SceneAddress:
    """Where viser listens on 127.0.0.1, and what it wants to be told first."""

    port: int
    secret: str = field(repr=False)

    @property
    def headers(self) -> dict[str, str]:
        """To be sent with every request."""
        return {SECRET_HEADER: self.secret}


def may_pass(message: bytes) -> bool:
    """Whether a page's message goes on to viser; read as viser reads it."""
    import msgspec.msgpack

    try:
        said = msgspec.msgpack.decode(message)
    except (ValueError, RecursionError):
        return False
    kind = said.get("type") if isinstance(said, dict) else None
    return isinstance(kind, str) and kind in PASSED


def open_server() -> tuple[Any, SceneAddress]:
    """A viser server on a free port of 127.0.0.1, and its address.

    Raises RuntimeError if it would answer a request without the secret.
    """
    import viser

    class NeverShared(viser.ViserServer):
        """Neither a client nor anybody else makes it open a tunnel."""

        def request_share_url(self, verbose: bool = True) -> None:
            del verbose

    secret = secrets.token_urlsafe(32)
    # It prints its address, which is not the one to open.
    with _asking_for(secret), contextlib.redirect_stdout(io.StringIO()):
        server = NeverShared(host="127.0.0.1", port=_free_port(), verbose=False)
    address = SceneAddress(server.get_port(), secret)
    if _status(address.port, {}) != http.client.FORBIDDEN:
        server.stop()
        raise RuntimeError(
            f"viser {viser.__version__} answers anybody on port {address.port}; "
            "it is not served: set the parameter scene to false"
        )
    return server, address


@contextlib.contextmanager
def _asking_for(secret: str) -> Iterator[None]:
    """What begins to be served meanwhile refuses every request without the secret.

    viser does not let one choose this, but what it is made of does (`process_request`).
    """
    from websockets.asyncio import server

    original = server.serve

    def serve(*args: Any, process_request: Any = None, **options: Any) -> Any:
        def asked(connection: Any, request: Any) -> Any:
            given = request.headers.get_all(SECRET_HEADER)
            if len(given) != 1 or not hmac.compare_digest(given[0].encode(), secret.encode()):
                return connection.respond(http.client.FORBIDDEN, "ask the dashboard\n")
            return None if process_request is None else process_request(connection, request)

        return original(*args, process_request=asked, **options)

    server.serve = serve  # type: ignore[assignment, misc]
    try:
        yield
    finally:
        server.serve = original  # type: ignore[misc]


def _status(port: int, headers: dict[str, str]) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CHECK_TIMEOUT_S)
    try:
        connection.request("GET", "/", headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
