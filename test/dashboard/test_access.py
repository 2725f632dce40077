# SPDX-License-Identifier: Apache-2.0
"""Who may see the page and press its buttons."""

from __future__ import annotations

import pytest

from neuro_control.dashboard.access import Access, chosen_token
from neuro_control.dashboard.settings import is_loopback

LOCAL = Access("127.0.0.1", 8800, "")
SECRET = Access("0.0.0.0", 8800, "secret")


def refused(access: Access, given: str = "", changes: bool = True, **headers: str) -> int:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return access.refusal(named, given, changes)[0]


@pytest.mark.parametrize("host", ["127.0.0.1:8800", "localhost:8800", "[::1]:8800", "localhost:99"])
def test_this_machine_may(host: str) -> None:
    assert refused(LOCAL, Host=host) == 0
    assert refused(LOCAL, Host=host, Origin=f"http://{host}") == 0


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8800", "127.0.0.1.evil.example", "", "[::1", "]"],
)
def test_a_name_that_points_here_may_not(host: str) -> None:
    assert refused(LOCAL, changes=False, Host=host) == 403


def test_another_sites_page_may_not() -> None:
    host = "localhost:8800"
    assert refused(LOCAL, Host=host, Origin="http://evil.example") == 403
    assert refused(LOCAL, Host=host, Origin="http://localhost:3000") == 403
    assert refused(LOCAL, Host=host, Origin="null") == 403
    assert refused(LOCAL, Host=host, Origin="http://[::1") == 403
    assert refused(LOCAL, Host=host, Sec_Fetch_Site="cross-site") == 403
    assert refused(SECRET, "secret", Host="robot:8800", Origin="http://evil.example") == 403


def test_where_there_is_a_token_it_is_needed_and_must_be_right() -> None:
    assert refused(SECRET, Host="robot:8800") == 401
    assert refused(SECRET, "wrong", Host="robot:8800") == 403
    assert refused(SECRET, "söcret", Host="robot:8800") == 403
    assert refused(SECRET, "\udcff", Host="robot:8800") == 403
    assert refused(SECRET, "secret", Host="robot:8800") == 0


def test_beyond_this_machine_there_is_always_a_token() -> None:
    assert chosen_token("127.0.0.1", "") == ""
    assert chosen_token("127.0.0.1", "mine") == "mine"
    assert chosen_token("0.0.0.0", "mine") == "mine"
    made = {chosen_token("0.0.0.0", "") for _ in range(3)}
    assert len(made) == 3
    assert min(map(len, made)) >= 32


@pytest.mark.parametrize(
    ("host", "here"),
    [("127.0.0.1", True), ("127.0.0.2", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("192.168.1.5", False), ("robot.local", False)],
)  # fmt: skip
def test_what_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_the_address_has_the_token_where_there_is_one() -> None:
    assert LOCAL.address == "http://127.0.0.1:8800/"
    assert SECRET.address == "http://127.0.0.1:8800/?token=secret"
    assert Access("::1", 80, "").address == "http://[::1]:80/"
