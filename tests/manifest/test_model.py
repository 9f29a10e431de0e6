import dataclasses

import pytest

from runtime.manifest.building import manifest_from_json
from runtime.manifest.model import DeclaredScope, EgressAddress, Manifest
from runtime.manifest.problems import Position
from runtime.manifest.reader import parse_manifest
from tests.manifest.texts import APP_ID, GOOD, HEAD, manifest

FULL = (
    HEAD
    + """\
modules:
  jira:issuePanel:
    - key: panel
      title: Panel
      icon: https://example.com/i.svg
      resource: ui
      resolver:
        function: resolver
  webtrigger:
    - key: hook
      function: hook
  consumer:
    - key: jobs
      queue: jobs
      resolver:
        function: resolver
        method: work
  rovo:agent:
    - key: agent
      name: Helper
      prompt: Help.
  function:
    - key: resolver
      handler: lib/resolver.handler
      timeoutSeconds: 20
      runtime: {memoryMB: 256}
    - key: hook
      handler: index.run
resources:
  - key: ui
    path: static/ui
    entry: {main: main.html}
remotes:
  - key: backend
    baseUrl: {default: https://a.example.com, EU: https://eu.example.com}
    operations: [compute]
permissions:
  scopes:
    read:jira-work: {allowImpersonation: true}
    write:jira-work: {}
  content:
    styles: [unsafe-inline]
  external:
    fetch:
      backend:
        - address: https://api.example.com
          category: analytics
          inScopeEUD: false
        - remote: backend
      client: [https://plain.example.com]
    images:
      - address: "*.example.com"
"""
)


@pytest.fixture
def full() -> Manifest:
    found = parse_manifest(FULL).unverified
    assert found is not None
    return found


def test_the_app_is_who_it_says(full: Manifest) -> None:
    assert (full.app_id, full.app_uuid) == (APP_ID, APP_ID.rpartition("/")[2])
    assert (full.runtime, full.name) == ("nodejs22.x", "")


def test_scopes_keep_their_order_and_their_impersonation(full: Manifest) -> None:
    assert full.permissions.scopes == (
        DeclaredScope("read:jira-work", allow_impersonation=True),
        DeclaredScope("write:jira-work"),
    )
    assert full.declared_scopes == {"read:jira-work", "write:jira-work"}
    assert full.impersonating_scopes == {"read:jira-work"}


def test_the_list_form_of_scopes_means_the_same() -> None:
    assert manifest(GOOD).permissions.scopes == (DeclaredScope("read:jira-work"),)


def test_egress_lists_addresses_and_every_base_url_of_a_remote(full: Manifest) -> None:
    external = full.permissions.external
    assert external.fetch_backend == (
        EgressAddress("https://api.example.com", "analytics", in_scope_eud=False),
        EgressAddress("https://a.example.com", remote="backend"),
        EgressAddress("https://eu.example.com", remote="backend"),
    )
    assert external.fetch_client == (EgressAddress("https://plain.example.com"),)
    assert external.images == (EgressAddress("*.example.com"),)
    assert len(external.addresses()) == 5
    assert full.permissions.content_styles == ("unsafe-inline",)


def test_modules_of_every_type_are_kept_in_order_with_their_places(full: Manifest) -> None:
    assert [module.key for module in full.modules] == [
        "panel", "hook", "jobs", "agent", "resolver", "hook",
    ]  # fmt: skip
    assert full.modules[0].position == Position(7, 7)
    assert full.modules_of("rovo:agent")[0].properties["prompt"] == "Help."


def test_a_handler_is_split_into_file_and_export(full: Manifest) -> None:
    function = full.functions["resolver"]
    assert (function.module, function.export) == ("lib/resolver", "handler")
    assert (function.timeout_s, function.memory_mb) == (20, 256)
    assert full.functions["hook"].timeout_s is None


def test_the_function_of_a_module_is_its_own_or_its_resolvers(full: Manifest) -> None:
    assert full.function_of("panel") == full.functions["resolver"]
    assert full.function_of("jobs") == full.functions["resolver"]
    assert full.function_of("resolver") == full.functions["resolver"]
    assert full.function_of("agent") is full.function_of("nobody") is None
    assert full.resolver_function(full.modules_of("webtrigger")[0]) is None


def test_a_key_that_a_function_shares_means_the_other_module(full: Manifest) -> None:
    found = full.find_module("hook")
    assert found is not None
    assert found.type == "webtrigger"


def test_resources_and_remotes_are_found_by_key(full: Manifest) -> None:
    assert full.resources["ui"].entries == {"main": "main.html"}
    assert full.remotes["backend"].base_urls["EU"] == "https://eu.example.com"
    assert full.remotes["backend"].operations == ("compute",)


def test_every_section_is_kept(full: Manifest) -> None:
    assert set(full.sections) == {"app", "modules", "resources", "remotes", "permissions"}


def test_a_manifest_cannot_be_changed(full: Manifest) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        full.app_id = "x"  # type: ignore[misc]  # the point of the test
    with pytest.raises(TypeError):
        full.functions["x"] = full.functions["hook"]  # type: ignore[index]  # likewise
    with pytest.raises(TypeError):
        full.modules[0].properties["key"] = "x"  # type: ignore[index]  # likewise


def test_a_manifest_comes_back_from_its_document(full: Manifest) -> None:
    again = manifest_from_json(full.document)
    assert again == full
    assert again.digest == full.digest


def test_what_is_no_manifest_does_not_come_back() -> None:
    with pytest.raises(ValueError, match="document"):
        manifest_from_json("{}")


def test_comments_and_order_do_not_change_the_digest() -> None:
    moved = GOOD.replace("    name: nodejs22.x\n", "    # a comment\n    name: 'nodejs22.x'\n")
    other = GOOD.replace("index.run", "index.other")
    assert manifest(GOOD).digest == manifest(moved).digest != manifest(other).digest


def test_a_broken_document_still_gives_what_can_be_read() -> None:
    report = parse_manifest(GOOD.replace("nodejs22.x", "nodejs18.x"))
    assert report.manifest is None
    assert report.unverified is not None
    assert report.unverified.functions["main"].export == "run"


@pytest.mark.parametrize("text", ["[]", "a", "app: {id: 5}", "app: {id: my-app}", "{}", "null"])
def test_a_document_without_an_app_gives_nothing(text: str) -> None:
    report = parse_manifest(text)
    assert (report.manifest, report.unverified) == (None, None)
    assert report.errors
