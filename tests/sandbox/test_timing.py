"""An image with another time."""

import pytest

from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import VirtualTime
from runtime.sandbox.timing import timed
from runtime.sandbox.values import Door, Image, Inspect, LiveGuest, Outcome, Start
from tests.guests.lab import Calls, shared_engine, start_with
from tests.sandbox.guests import source


def test_the_runs_of_a_timed_image_have_its_time_and_share_the_rest() -> None:
    image = shared_engine().javascript(
        source({"run": "await new Promise((done) => setTimer(done, 9000)); return 1"})
    )
    jumping = timed(image, VirtualTime)
    assert jumping.digest == image.digest
    outcome = jumping.run(start_with(handler="index.run"), Calls(), Limits())
    assert outcome.result == b"1"
    assert outcome.usage.wall_ms == pytest.approx(9000)


class Stranger:
    """An image of another make."""

    digest = ""

    def run(
        self, start: Start, door: Door, limits: Limits, *, inspect: Inspect | None = None
    ) -> Outcome:
        raise AssertionError("nobody runs it")

    def open(self, start: Start, door: Door, limits: Limits) -> LiveGuest:
        raise AssertionError("nobody opens it")


def test_an_image_of_another_make_has_no_time_to_change() -> None:
    image: Image = Stranger()
    with pytest.raises(TypeError, match="Stranger"):
        timed(image, VirtualTime)
