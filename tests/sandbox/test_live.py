"""Live guests: messages in and out, budgets for each, one mechanism with one-shot runs."""

import threading
from dataclasses import replace

import pytest

from runtime.sandbox.engine import JavaScriptImage
from runtime.sandbox.limits import Limits
from runtime.sandbox.timebase import PlainTime
from runtime.sandbox.values import Door, LiveGuest
from tests.sandbox.guests import anything, nothing, start, virtual_engine

ANSWER = "globalThis.onHeard = (message) => emit('heard ' + message); emit('hello'); return 1"


def live(body: str, door: Door = nothing, limits: Limits | None = None) -> LiveGuest:
    """Open a guest that runs a body."""
    return anything().open(start(body), door, limits or Limits())


def test_a_guest_stays_and_answers_messages() -> None:
    with live(ANSWER) as guest:
        assert (guest.opened.messages, guest.opened.result) == (("hello",), b"1")
        first, second = guest.post("a"), guest.post("b")
        assert (first.messages, first.result, first.fault) == (("heard a",), None, None)
        assert second.messages == ("heard b",)


def test_what_a_guest_remembers_is_its_own() -> None:
    count = "globalThis.n = 0; globalThis.onHeard = () => emit(String(++globalThis.n))"
    with live(count) as one, live(count) as other:
        assert [one.post("").messages for _ in range(3)] == [("1",), ("2",), ("3",)]
        assert other.post("").messages == ("1",)


def test_a_message_may_call_the_door_and_is_done_when_nothing_is_in_flight() -> None:
    ask = """
    globalThis.onHeard = async (message) => {
      const replies = await Promise.all([door('a', message), door('b', message)]);
      emit(replies.join(','));
    };
    """
    with live(ask, lambda name, body: name.encode() + body) as guest:
        assert guest.post("1").messages == ("a1,b1",)
        assert guest.post("2").usage.door_calls == 2


def test_a_handler_that_has_not_returned_is_no_fault() -> None:
    body = "await new Promise((resolve) => { globalThis.onHeard = resolve }); return 'done'"
    with live(body) as guest:
        assert (guest.opened.result, guest.opened.fault) == (None, None)
        assert guest.post("go").result == b'"done"'


def test_timers_that_are_due_fire_with_the_message_and_later_ones_wait() -> None:
    body = """
    globalThis.onHeard = (message) => {
      setTimer(() => emit('at once'), 0);
      setTimer(() => emit('later ' + message), 60000);
    };
    """
    from tests.sandbox.guests import source  # noqa: PLC0415  # beside its one use

    image: JavaScriptImage = virtual_engine().javascript(source({"run": body}))
    limits = Limits(wall_ms=120_000)
    with image.open(start(), nothing, limits) as guest:
        assert guest.post("x").messages == ("at once",)
        assert guest.pump(59_000).messages == ()
        assert guest.pump(60_000).messages == ("later x",)
        assert guest.pump().messages == ()


def test_each_message_has_budgets_of_its_own() -> None:
    body = "globalThis.onHeard = async () => { await door('x', ''); await door('x', ''); log('l') }"
    with live(body, limits=Limits(door_calls=2, log_lines=1)) as guest:
        for _ in range(3):
            turn = guest.post("")
            assert (turn.fault, turn.usage.door_calls, len(turn.logs)) == (None, 2, 1)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("globalThis.onHeard = () => { for (;;); }", "CPU_LIMIT"),
        ("globalThis.onHeard = () => { throw new Error('in a message') }", "APP_ERROR"),
        ("globalThis.onHeard = () => { for (;;) door('x', '') }", "CPU_LIMIT"),
        ("globalThis.onHeard = () => { for (let i = 0; i < 99; i++) door('x', '') }", "DOOR_CALLS"),
    ],
)
def test_a_fault_closes_the_guest(body: str, code: str) -> None:
    guest = live(body, limits=Limits(cpu_ms=150, door_calls=5))
    turn, after = guest.post("x"), guest.post("x")
    assert turn.fault is not None
    assert turn.fault.code == code
    assert after.fault is not None
    assert after.fault.code == "CLOSED"
    guest.close()


def test_a_fault_of_the_start_is_in_the_first_turn() -> None:
    guest = live("log('first'); throw new Error('no')")
    assert guest.opened.fault is not None
    assert guest.opened.fault.code == "APP_ERROR"
    assert [line.text for line in guest.opened.logs] == ["first"]


def test_closing_twice_is_harmless_and_gives_the_place_back() -> None:
    for _ in range(300):  # more than there are places
        guest = live("return 1")
        guest.close()
        guest.close()
    assert anything().run(start("return 1"), nothing, Limits()).result == b"1"


def test_messages_from_several_threads_are_handled_one_after_the_other() -> None:
    body = "let n = 0; globalThis.onHeard = async () => { await sleep(1); emit(String(++n)) }"
    heard: list[str] = []
    with live(body) as guest:

        def work() -> None:
            for _ in range(5):
                heard.extend(guest.post("x").messages)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        heard.extend(guest.pump(100).messages)
    assert sorted(heard, key=int) == [str(n) for n in range(1, 21)]


def test_only_a_text_can_be_emitted_and_no_larger_than_a_result() -> None:
    body = "globalThis.onHeard = () => { emit(7); emit('x'.repeat(50)) }"
    with live(body, limits=replace(Limits(), result_bytes=20)) as guest:
        assert guest.post("").messages == ("7", "x" * 20)


def test_an_exception_of_the_host_closes_the_guest() -> None:
    class Clock(PlainTime):
        def elapsed_s(self) -> float:
            if threading.current_thread().name == "breaking":
                raise RuntimeError("the clock broke")
            return 0.0

        def wait(self, *_: object, **__: object) -> None:
            return None

    from runtime.sandbox.guest import Guest  # noqa: PLC0415  # beside its one use
    from runtime.sandbox.live import LiveJavaScript  # noqa: PLC0415

    made = Guest(anything().prepared, start("return 1"), nothing, Limits(), Clock())
    guest = LiveJavaScript(made)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            guest.post("x")
        except RuntimeError as error:
            raised.append(error)

    thread = threading.Thread(target=work, name="breaking")
    thread.start()
    thread.join()
    assert [str(error) for error in raised] == ["the clock broke"]
