"""@forge/api, @forge/kvs and @forge/resolver as npm has them, bundled and run in a real guest."""

import json
from pathlib import Path

import pytest

from conformance.conftest import Deployed
from tests.flows.conftest import Bench

pytestmark = pytest.mark.npm

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def bench(deployed: Deployed) -> Bench:
    return deployed("app", "conformance")


def ask(bench: Bench, definition: str, payload: object = None, as_: str | None = "dana") -> object:
    result = bench.invoke("conformance", f"resolver:{definition}", payload, as_=as_)
    assert result.outcome.fault is None, result.outcome.fault
    assert result.proof is not None
    assert result.proof.found == 0
    return result.value


def test_the_real_client_reads_an_issue_as_the_user(bench: Bench) -> None:
    assert ask(bench, "read", {"issueKey": "TEAM-1"}) == {
        "ok": True,
        "status": 200,
        "type": "application/json;charset=UTF-8",
        "key": "TEAM-1",
    }


def test_a_missing_scope_is_an_answer_and_no_exception(bench: Bench) -> None:
    assert ask(bench, "unscoped") == {"status": 401}


def test_as_user_without_a_user_is_the_packages_own_proxy_error(bench: Bench) -> None:
    error = ask(bench, "asNobody", as_=None)
    assert isinstance(error, dict)
    assert "AUTH_TYPE_UNAVAILABLE" in error["message"]


def test_impersonation_that_is_not_allowed_is_refused(bench: Bench) -> None:
    amy = bench.firebrick.find_person("amy").account_id
    error = ask(bench, "asAmy", {"accountId": amy})
    assert isinstance(error, dict)
    assert "AUTH_TYPE_UNAVAILABLE" in error["message"]


def test_a_route_must_be_made_with_route(bench: Bench) -> None:
    error = ask(bench, "plainText")
    assert isinstance(error, dict)
    assert "You must create your route" in error["message"]


def test_egress_and_storage_are_refused_by_name(bench: Bench) -> None:
    for definition in ("outside", "store"):
        answer = ask(bench, definition)
        assert isinstance(answer, dict)
        assert answer.get("status") == 403 or answer["message"], answer


def test_the_context_is_the_hosts(bench: Bench) -> None:
    context = ask(bench, "context")
    assert isinstance(context, dict)
    assert context["accountId"] == bench.firebrick.find_person("dana").account_id
    assert context["cloudId"] == bench.cloud_id


def test_the_real_route_agrees_with_every_measured_case(bench: Bench) -> None:
    whole = json.loads((ROOT / "tests" / "fidelity" / "route_cases.json").read_text())
    named = {"route", "assumeTrustedRoute", "routeFromAbsolute"}
    cases = [case for case in whole["cases"] if case[0] in named]
    answers = ask(bench, "routes", {"cases": [case[:2] for case in cases]})
    assert isinstance(answers, list)
    assert len(cases) >= 60
    for (name, arguments, wanted), answer in zip(cases, answers, strict=True):
        expected = "error" if "error" in wanted else "value"
        assert answer.get(expected) == wanted[expected], (name, arguments)
