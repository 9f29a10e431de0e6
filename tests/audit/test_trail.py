import json
from pathlib import Path

import pytest

from runtime.audit.trail import AuditRecord, AuditTrail, redact
from runtime.clock import ManualClock
from runtime.database import open_database, sqlite_url


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    return AuditTrail(open_database(sqlite_url(tmp_path / "state.db")), ManualClock(1000.0))


def test_records_come_back_in_order_and_by_invocation(trail: AuditTrail) -> None:
    for number, invocation in enumerate(["a", "b", "a"]):
        trail.append(AuditRecord("door", True, f"rule.{number}", invocation_id=invocation))
    assert [record.rule for record in trail.read()] == ["rule.0", "rule.1", "rule.2"]
    assert [record.rule for record in trail.read(invocation_id="a")] == ["rule.0", "rule.2"]
    assert [record.rule for record in trail.read(limit=1)] == ["rule.2"]
    assert trail.read()[0].at_s == 1000.0


@pytest.mark.hostile
@pytest.mark.parametrize(
    "secret",
    ["fbk_at_" + "a1" * 32, "fbk_pat_" + "0f" * 32, "eyJhbGciOiJI.eyJzdWIi.c2lnbmF0dXJl"],
)
def test_no_credential_can_be_written_in_any_field(trail: AuditTrail, secret: str) -> None:
    record = AuditRecord(
        "door", False, "x", f"saw {secret}", path=f"/a?jwt={secret}", detail={"k": [secret]},
        account_id=secret,
    )  # fmt: skip
    trail.append(record)
    assert secret not in str(trail.read())
    assert trail.read()[0].detail == {"k": ["***"]}


@pytest.mark.hostile
@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("/callback?code=abc&state=x", "/callback?code=***&state=x"),
        ("/x?a=1&client_secret=abc", "/x?a=1&client_secret=***"),
        ("/rest/api/3/issue/A-1?fields=summary", "/rest/api/3/issue/A-1?fields=summary"),
    ],
)
def test_urls_lose_codes_and_secrets_and_nothing_else(text: str, clean: str) -> None:
    assert redact(text) == clean


@pytest.mark.hostile
@pytest.mark.parametrize("text", ["GET /cb?code=abc", "/x?jwt=abc", "a=1&access_token=abc"])
def test_what_is_redacted_inside_json_is_json_still(text: str) -> None:
    value = json.loads(redact(json.dumps({"text": text, "deep": json.dumps([text]), "after": 1})))
    assert "abc" not in str(value)
    assert value["after"] == 1
    assert len(json.loads(value["deep"])) == 1
