"""What the trail says of one call to a remote, in words."""

from collections.abc import Iterator

from runtime.audit.trail import AuditRecord

CREDENTIALS = {
    "authorization": "an invocation token (FIT)",
    "x-forge-oauth-system": "a token of the app's own account",
    "x-forge-oauth-user": "a token of the invoking user",
}


def words_of_remote(record: AuditRecord) -> Iterator[tuple[str, str]]:
    """Yield the steps of a call: what it is about, and what it came to."""
    detail = record.detail
    attempt = detail.get("attempt")
    if isinstance(attempt, int) and attempt > 1:
        yield "attempt", f"{attempt}: what failed is sent again, 60 s later on the platform"
    sent = detail.get("credentials")
    names = [CREDENTIALS.get(str(one), str(one)) for one in sent] if isinstance(sent, list) else []
    yield "credential", ", ".join(names) or "none was attached: no server was asked"
    withheld = detail.get("withheld")
    if isinstance(withheld, dict):
        for name, rule in withheld.items():
            yield "credential", f"withheld: {CREDENTIALS.get(name, name)}, by {rule}"
    dropped = detail.get("dropped_headers")
    if isinstance(dropped, list):
        yield "headers", f"did not cross: {', '.join(map(str, dropped))}"
    chosen = ", by the customer's word" if detail.get("base_url") == "customer" else ""
    yield "remote", f"{detail.get('remote')} at {record.path}{chosen}"
    if detail.get("credentials_taken_out"):
        yield "answer", "held credentials; they were taken out"
