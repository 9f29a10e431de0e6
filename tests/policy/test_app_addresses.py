"""Where this server goes to ask an app."""

import pytest

from runtime.policy.app_addresses import decide_app_address, decide_app_url, is_loopback_name
from runtime.policy.egress import ExternalUrl, parse_external

PUBLIC = "93.184.216.34"


def url(text: str) -> ExternalUrl:
    found = parse_external(text)
    assert isinstance(found, ExternalUrl)
    return found


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("http://127.0.0.1:3000/x", True), ("http://localhost/x", True), ("http://[::1]:9/", True),
        ("https://app.example/x", True), ("https://app.example:8080/x", True),
        ("https://app.example:22/x", False), ("http://app.example/x", False),
        ("http://inside.example:3000/x", True), ("ws://127.0.0.1/x", False),
        ("wss://app.example/x", False), ("http://localhost.evil.example/", False),
    ],
)  # fmt: skip
def test_http_and_other_ports_are_for_this_machine(text: str, allowed: bool) -> None:
    assert decide_app_url(url(text), {"inside.example"}).allowed is allowed


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("host", "addresses", "allowed"),
    [
        ("localhost", ("127.0.0.1", "::1"), True), ("localhost", (PUBLIC,), False),
        ("localhost", ("127.0.0.1", PUBLIC), False), ("localhost", (), False),
        ("app.localhost", ("127.0.0.1",), True), ("127.0.0.2", ("127.0.0.2",), True),
        ("app.example", (PUBLIC,), True), ("app.example", ("127.0.0.1",), False),
        ("app.example", (PUBLIC, "10.0.0.1"), False), ("app.example", ("169.254.169.254",), False),
        ("app.example", ("::ffff:127.0.0.1",), False), ("app.example", ("fe80::1%eth0",), False),
        ("inside.example", ("10.0.0.1",), True), ("inside.example", (), False),
        ("localhost", ("no address",), False),
    ],
)  # fmt: skip
def test_a_name_leads_where_it_says(host: str, addresses: tuple[str, ...], allowed: bool) -> None:
    assert decide_app_address(host, addresses, {"inside.example"}).allowed is allowed


def test_loopback_is_told_by_name_and_number() -> None:
    assert is_loopback_name("localhost")
    assert is_loopback_name("127.9.9.9")
    assert not is_loopback_name("localhost.example")
    assert not is_loopback_name("0.0.0.0")  # it is not bound to
