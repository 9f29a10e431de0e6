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
