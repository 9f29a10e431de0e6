"""Blocks of OAuth apps on the command line."""

from tests.cli.conftest import Firebrick


def test_an_app_is_blocked_listed_and_let_in_again(firebrick: Firebrick) -> None:
    said = firebrick("oauth", "app", "create", "Sync", "--owner", "dana", "--format", "json")
    assert said.code == 0
    where = ("--client", "Sync", "--site", "acme")
    assert firebrick("oauth", "blocks").out.startswith("Nothing")
    assert firebrick("oauth", "block", *where).out == "Blocked.\n"
    assert firebrick("oauth", "block", *where).code == 1
    assert firebrick("oauth", "blocks", "--format", "json").json == [
        {"app": "Sync", "site": "acme.atlassian.net"}
    ]
    assert firebrick("oauth", "unblock", *where, "--format", "json").json == {"changed": True}
    assert firebrick("oauth", "unblock", *where).code == 1


def test_every_app_is_blocked_everywhere(firebrick: Firebrick) -> None:
    assert firebrick("oauth", "block").code == 0
    assert firebrick("oauth", "blocks").out.count("*") == 2


def test_the_policy_and_a_block_say_what_each_stops(firebrick: Firebrick) -> None:
    assert "may consent" in firebrick("oauth", "policy").out
    said = firebrick("oauth", "policy", "--user-apps", "block").out
    assert said.startswith("userApps: block\n")
    assert "before go on" in said
    assert "firebrick oauth block" in said
    blocks = firebrick("oauth", "blocks").out
    assert blocks.startswith("Nothing is blocked.\n")
    assert "Nobody consents to further apps" in blocks
    assert firebrick("oauth", "policy", "--format", "json").json == {"userApps": "block"}


def test_what_is_allowed_of_api_tokens(firebrick: Firebrick) -> None:
    assert firebrick("token", "policy", "--format", "json").json == {
        "tokens": "allow", "maxDays": 365,
    }  # fmt: skip
    said = firebrick("token", "policy", "--max-days", "30").out
    assert said.startswith("tokens: allow\nmaxDays: 30\n")
    assert "less than the settings" in said
    assert firebrick("token", "create", "dana", "--days", "31").code == 1
    assert firebrick("token", "policy", "--tokens", "block").code == 0
    assert "TOKENS_FORBIDDEN" in firebrick("token", "create", "dana").err
    assert firebrick("token", "policy", "--max-days", "0").code == 1
