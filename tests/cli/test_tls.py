"""``tls``: certificates are made, kept and renewed, and clients are told what they need."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from runtime.server.net.clientenv import NAMES, Reach, client_variables, render, trust_hints
from runtime.server.net.listening import announced, find_reach
from tests.cli.conftest import Firebrick

BUNDLES = ("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")


def variables(firebrick: Firebrick, *options: str) -> dict[str, str]:
    told: Any = firebrick("tls", "env", "--shell", "json", *options).json
    return {str(name): str(value) for name, value in told.items()}


def test_init_makes_once_and_keeps(firebrick: Firebrick, tmp_path: Path) -> None:
    first = firebrick("tls", "init")
    assert first.code == 0
    assert "Made an authority" in first.out
    assert str(tmp_path / "state" / "tls" / "ca.pem") in first.out
    again: Any = firebrick("tls", "init", "--format", "json").json
    assert again["change"] == "kept"
    assert again["fingerprint"] in first.out
    forced: Any = firebrick("tls", "init", "--force", "--format", "json").json
    assert forced["change"] == "made"
    assert forced["fingerprint"] != again["fingerprint"]
    assert "PRIVATE" not in first.out


@pytest.mark.hostile
def test_init_refuses_a_loose_key_by_name(firebrick: Firebrick, tmp_path: Path) -> None:
    firebrick("tls", "init")
    key = tmp_path / "state" / "tls" / "ca-key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    said = firebrick("tls", "init")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Error TLS_UNUSABLE:")


def test_a_reset_state_keeps_the_authority_that_clients_trust(
    firebrick: Firebrick, tmp_path: Path
) -> None:
    firebrick("tls", "init")
    before = (tmp_path / "state" / "tls" / "ca.pem").read_bytes()
    assert firebrick("reset", "--yes").code == 0
    assert (tmp_path / "state" / "tls" / "ca.pem").read_bytes() == before


def test_hints_name_every_kind_of_client(firebrick: Firebrick, tmp_path: Path) -> None:
    said = firebrick("tls", "trust-hints")
    authority = tmp_path / "state" / "tls" / "ca.pem"
    assert authority.is_file()
    for client in ("Node:", "Python requests:", "curl:", "Java:", "Go:", "Firefox:"):
        assert client in said.out
    hints: Any = firebrick("tls", "trust-hints", "--format", "json").json
    assert hints["curl"] == f"export CURL_CA_BUNDLE={authority}"
    assert list(hints) == [client for client, _ in trust_hints(authority)]


def test_env_without_a_server_names_what_to_trust(firebrick: Firebrick, tmp_path: Path) -> None:
    told = variables(firebrick)
    authority = str(tmp_path / "state" / "tls" / "ca.pem")
    assert {name: told[name] for name in BUNDLES} == dict.fromkeys(BUNDLES, authority)
    assert told["CONNECT_KEYS_CDN_URL"] == "http://127.0.0.1:8080/connect-keys"
    assert set(told) == {*BUNDLES, "CONNECT_KEYS_CDN_URL"}


def test_env_speaks_of_the_server_that_runs(firebrick: Firebrick, tmp_path: Path) -> None:
    state = tmp_path / "state"
    with announced(state, Reach("http://127.0.0.1:1", 2, 3)):
        told = variables(firebrick)
        assert told["CONNECT_KEYS_CDN_URL"] == "http://127.0.0.1:1/connect-keys"
        assert (told["HTTPS_PROXY"], told["FIREBRICK_CLIENT_TLS_PORT"]) == (
            "http://127.0.0.1:3", "2",
        )  # fmt: skip
        assert told["NO_PROXY"] == "localhost,127.0.0.1,::1"
        assert "acme.atlassian.net" in told["FIREBRICK_CLIENT_NAMES"].split(",")
        assert "HTTPS_PROXY" in variables(firebrick, "--proxy-port", "9")
    assert "HTTPS_PROXY" not in variables(firebrick)
    assert variables(firebrick, "--tls-port", "7")["FIREBRICK_CLIENT_TLS_PORT"] == "7"


def test_a_dead_server_is_not_believed_and_its_word_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "listening-left.json"
    left.write_text('{"url": "http://127.0.0.1:1", "tls_port": 2, "proxy_port": 3}')
    assert find_reach(tmp_path) is None
    assert not left.exists()


def test_of_two_servers_the_newer_one_is_named_until_it_ends(tmp_path: Path) -> None:
    with announced(tmp_path, Reach("http://one")):
        (older,) = tmp_path.glob("listening-*.json")
        os.utime(older, ns=(0, 0))
        with announced(tmp_path, Reach("http://two", 5)):
            assert find_reach(tmp_path) == Reach("http://two", 5)
        assert find_reach(tmp_path) == Reach("http://one")
    assert list(tmp_path.iterdir()) == []


def test_a_server_goes_on_where_it_can_tell_nobody(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with announced(tmp_path / "file", Reach("http://one")):
        assert find_reach(tmp_path / "file") is None


@pytest.mark.hostile
def test_a_link_in_place_of_the_word_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("mine")
    (tmp_path / "listening-x.json").symlink_to(target)
    assert find_reach(tmp_path) is None
    assert target.read_text() == "mine"


@pytest.mark.hostile
def test_the_shell_reads_back_whatever_the_folder_is_called(tmp_path: Path) -> None:
    authority = tmp_path / 'it\'s $HOME `id` "x" \\ y' / "ca.pem"
    told = client_variables(Reach("http://h", 1, 2), authority, ["a.atlassian.net"], "--trace x")
    script = render(told, "sh") + '\nprintf \'%s\\0\' "$SSL_CERT_FILE" "$NODE_OPTIONS"'
    shown = subprocess.run(["sh", "-c", script], check=True, capture_output=True).stdout
    assert shown.decode().split("\0")[:2] == [str(authority), told["NODE_OPTIONS"]]
    assert json.loads(render(told, "json")) == told
    (line,) = [one for one in render(told, "dotenv").split("\n") if one.startswith("SSL_")]
    assert line == 'SSL_CERT_FILE="' + re.sub(r'(["\\$])', r"\\\1", str(authority)) + '"'


def test_the_options_that_node_has_already_are_kept(tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    once = client_variables(Reach("http://h", 1), authority, [], "--trace-warnings")["NODE_OPTIONS"]
    assert once == f"--trace-warnings --require {NAMES}"
    assert client_variables(Reach("http://h", 1), authority, [], once)["NODE_OPTIONS"] == once
    assert NAMES.is_file()


@pytest.mark.hostile
def test_doctor_sees_a_loose_key(firebrick: Firebrick, tmp_path: Path) -> None:
    firebrick("tls", "init")
    key = tmp_path / "state" / "tls" / "server-key.pem"
    key.chmod(0o644)
    assert f"{key} is readable by others" in firebrick("doctor").out
