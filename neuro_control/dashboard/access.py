# SPDX-License-Identifier: Apache-2.0
"""Who may see the page and press its buttons.

On a loopback address: whoever is on this machine, through a request that names this machine as
its host (a web site that has its own name point here, DNS rebinding, does not) and that comes from
this very page (a foreign site's form or script does not). Where a token is set: whoever has it.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from neuro_control.dashboard.settings import is_loopback

LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def chosen_token(host: str, token: str) -> str:
    """The token to ask for: the one that was set, else "" on a loopback address, else a new one."""
    return token or ("" if is_loopback(host) else secrets.token_urlsafe(24))


@dataclass(frozen=True)
class Access:
    """The rule for every request. host, port: where the page is served; token: "" for none."""

    host: str
    port: int
    token: str

    def refusal(self, headers: Mapping[str, str], given: str, changes: bool) -> tuple[int, str]:
        """(0, "") for a request that may pass, else its HTTP status and the reason.

        given: the token that the request carries, "" for none. changes: it asks for a deed, or
        opens a stream that a script can read, so that its origin must be the page itself.
        """
        if self.token:
            if not given:
                return 401, "a token is needed: open the address that was printed at the start"
            if not hmac.compare_digest(
                given.encode("utf-8", "surrogateescape"), self.token.encode()
            ):
                return 403, "the token is wrong"
        host = headers.get("Host", "")
        if not self.token and not self._is_ours(host):
            return 403, f"host {host!r} is not this machine"
        origin = headers.get("Origin", "")
        if origin and _place(origin) != host:
            return 403, f"a page of {origin} may not ask here"
        if changes and not origin and headers.get("Sec-Fetch-Site", "none") == "cross-site":
            return 403, "another site's page may not ask here"
        return 0, ""

    def _is_ours(self, host: str) -> bool:
        # Any port: a tunnel (ssh -L) may end at another. It is the name that tells.
        try:
            name = (urlsplit(f"//{host}").hostname or "").lower()
        except ValueError:  # such as half an IPv6 address
            return False
        return name in LOCAL_NAMES | {self.host.lower()}

    @property
    def cookie(self) -> str:
        """The name of the token's cookie: browsers keep one jar for all ports of a host."""
        return f"neuro_control_dashboard_{self.port}"

    @property
    def address(self) -> str:
        """What to open in a browser."""
        name = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host
        name = f"[{name}]" if ":" in name else name
        return f"http://{name}:{self.port}/" + (f"?token={self.token}" if self.token else "")


def _place(origin: str) -> str | None:
    """Host and port of an origin; None for one that cannot be read."""
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None
