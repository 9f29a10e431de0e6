"""The command line: addresses that an administrator lets an app reach."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Firebrick
from tests.flows.test_customer_egress import MANIFEST, SOURCE

OPTIONS = ("--description", "Our own server", "--as", "amy")


@pytest.fixture
def reaching(firebrick: Firebrick, tmp_path: Path) -> Firebrick:
    (tmp_path / "reaching" / "src").mkdir(parents=True)
    (tmp_path / "reaching" / "src" / "index.js").write_text(SOURCE)
    (tmp_path / "reaching" / "manifest.yml").write_text(MANIFEST)
    assert firebrick("deploy", str(tmp_path / "reaching")).code == 0
    assert firebrick("install", "--yes", "--app", "reaching").code == 0
    return firebrick


def test_a_group_is_set_listed_and_removed(reaching: Firebrick) -> None:
    assert reaching("egress", "list").out.strip() == "No group was approved."
    said = reaching("egress", "set", "own", "api.example.com", "*.example.com", *OPTIONS)
    assert (said.code, "https://*.example.com" in said.out) == (0, True)
    shown = reaching("egress", "list", "--format", "json")
    assert shown.json == [
        {
            "key": "own",
            "description": "Our own server",
            "configured": [
                {"domain": "https://api.example.com", "type": ["FETCH_BACKEND_SIDE"]},
                {"domain": "https://*.example.com", "type": ["FETCH_BACKEND_SIDE"]},
            ],
        }
    ]
    assert "Our own server" in reaching("egress", "list").out
    assert reaching("egress", "remove", "own", "--as", "amy").code == 0
    gone = reaching("egress", "remove", "own", "--as", "amy")
    assert (gone.code, "no such group" in gone.out) == (1, True)


def test_what_cannot_be_approved_is_said(reaching: Firebrick) -> None:
    for addresses, words in ((("10.0.0.1",), "cannot be added"), (("*.com",), "cannot be added")):
        refused = reaching("egress", "set", "own", *addresses, *OPTIONS)
        assert refused.code != 0
        assert words in refused.err
    refused = reaching("egress", "set", "own", "a.example", "--description", "x", "--as", "dana")
    assert "no admin of this site" in refused.err


def test_types_are_named_and_one_host_is_taken_back(reaching: Firebrick) -> None:
    types = ("--type", "IMAGES", "--type", "FETCH_BACKEND_SIDE")
    said = reaching("egress", "set", "own", "a.example", "b.example", *types, *OPTIONS)
    assert (said.code, "https://a.example (IMAGES, FETCH_BACKEND_SIDE)" in said.out) == (0, True)
    for arguments in (("a.example",), ("b.example", "--type", "IMAGES")):
        assert reaching("egress", "remove", "own", *arguments, "--as", "amy").code == 0
    (group,) = json.loads(reaching("egress", "list", "--format", "json").out)
    assert group["configured"] == [{"domain": "https://b.example", "type": ["FETCH_BACKEND_SIDE"]}]
    gone = reaching("egress", "remove", "own", "a.example", "--as", "amy", "--format", "json")
    assert (gone.code, gone.json) == (
        1, {"key": "own", "domain": "a.example", "removed": False}
    )  # fmt: skip
    refused = reaching("egress", "set", "own", "a.example", "--type", "ALL", *OPTIONS)
    assert "one or more of the types" in refused.err
