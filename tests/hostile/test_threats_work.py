"""Row 36: refusals cost the same, whether or not what was asked for exists.

No clock is read: statements, hashes, comparisons and ciphers are counted. ``make bench`` shows what
the same pairs take.
"""

from collections.abc import Iterator

import pytest

from tests.hostile.observing import Observed
from tests.hostile.refusals import PAIRS, Refusals

pytestmark = pytest.mark.hostile


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Refusals]:
    made = Refusals(tmp_path_factory.mktemp("refusals"))
    yield made
    made.place.close()


@pytest.mark.parametrize("name", PAIRS)
def test_36_one_refusal_costs_and_says_as_much_as_the_other(refusals: Refusals, name: str) -> None:
    seen: list[Observed] = []
    for _ in range(2):  # the first call of all fills caches of the process
        seen = [refusals.observer.ask(*refusals.request(one)) for one in PAIRS[name]]
    first = seen[0]
    assert first.status in (200, 401, 403, 404)
    assert first.statements or first.work
    for other in seen[1:]:
        assert (other.statements, other.work) == (first.statements, first.work)
        assert (other.status, other.headers, other.body) == (
            first.status, first.headers, first.body,
        )  # fmt: skip


def test_36_what_is_counted_is_really_done(refusals: Refusals) -> None:
    """A call that succeeds costs what it should: the observer is not blind."""
    seen = refusals.observer.ask(*refusals.request("jwt: good"))
    assert seen.status == 200
    assert seen.work["hmac_new"] == seen.work["HMAC.digest"] == 1
    assert seen.work["compare_digest"] >= 1
    assert any(text.startswith("SELECT connect_installation") for text in seen.statements)
