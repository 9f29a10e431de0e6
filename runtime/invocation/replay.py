"""Run a recorded invocation again, offline, and compare every byte of what comes of it."""

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runtime.invocation.recording import Recording
from runtime.invocation.scrubbing import Scrubber
from runtime.sandbox.journal import Call, Replayer
from runtime.sandbox.timing import timed
from runtime.sandbox.values import Image, Outcome

PATIENCE = 10  # times the recorded computing time: another machine may be slower
LEAST_CPU_MS = 60_000
CONTEXT_LINES = 3


@dataclass(frozen=True, slots=True)
class Difference:
    """Where a replay is not what was recorded.

    Attributes:
        what: ``result``, ``error``, ``logs``, or ``call`` with its number.
        diff: Unified diff of the two, from the recorded to the replayed.
    """

    what: str
    diff: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Replay:
    """What running a recording again came to.

    Attributes:
        differences: Where it differs; none is the promise.
        notes: What may be the reason for a difference.
        bytes: How many bytes were compared.
        calls: How many calls the guest made this time.
    """

    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    bytes: int
    calls: int

    @property
    def equal(self) -> bool:
        """Whether every byte is the same."""
        return not self.differences


def replay(recording: Recording, image: Image, secrets: Mapping[str, str]) -> Replay:
    """Run a recording again and compare result, error, logs and requests byte by byte.

    No door is called: the guest gets the recorded replies in the recorded order. Texts are compared
    as they are kept, without secrets.

    Args:
        recording: What to run.
        image: The app; it may be compiled on another machine than the one that recorded.
        secrets: Values of the app's encrypted variables.
    """
    replayer = Replayer(recording.journal)
    limits = recording.limits
    patient = replace(limits, cpu_ms=max(LEAST_CPU_MS, PATIENCE * limits.cpu_ms))
    start = recording.with_secrets(secrets).start
    outcome = timed(image, lambda: replayer).run(start, _no_door, patient)
    return compare(recording, outcome, replayer.calls, Scrubber(secrets), _notes(recording, image))


def compare(
    recording: Recording,
    outcome: Outcome,
    calls: Sequence[Call],
    scrubber: Scrubber,
    notes: Sequence[str],
) -> Replay:
    """Compare what came of a recording this time with what it holds, as texts without secrets.

    Args:
        recording: What it holds.
        outcome: What came of it.
        calls: What was asked for.
        scrubber: Knows the app's secrets.
        notes: What may be the reason for a difference.
    """
    before = _texts(recording.outcome, recording.journal.calls, scrubber)
    after = _texts(outcome, calls, scrubber)
    return Replay(
        differences=tuple(_differences(before, after)),
        notes=tuple(notes),
        bytes=sum(len(text.encode()) for text in after.values()),
        calls=len(calls),
    )


def _no_door(_name: str, _body: bytes) -> bytes:
    raise AssertionError("a replay calls no door")


def _texts(outcome: Outcome, calls: Sequence[Call], scrubber: Scrubber) -> dict[str, str]:
    """Return everything that is compared, by what it is."""
    fault = outcome.fault
    lines = "\n".join(f"{line.level} {json.dumps(line.text)}" for line in outcome.logs)
    texts = {"result": "undefined" if outcome.result is None else _shown(outcome.result)}
    if fault is not None:
        texts["error"] = f"{fault.code}\n{fault.name}\n{fault.message}\n{fault.stack}"
    texts["logs"] = lines
    for call in calls:
        texts[f"call {call.call_id}"] = f"{call.name}\n{_shown(call.body)}"
    return {what: scrubber.scrub(text) for what, text in texts.items()}


def _shown(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    names = dict.fromkeys((*before, *after))
    return [
        Difference(name, tuple(_diff(before.get(name, ""), after.get(name, ""))))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _diff(before: str, after: str) -> Sequence[str]:
    lines = difflib.unified_diff(
        _lines(before), _lines(after), "recorded", "replayed", n=CONTEXT_LINES, lineterm=""
    )
    return tuple(lines)


def _lines(text: str) -> list[str]:
    """Return a text in lines; JSON is written one value a line, so that a diff says which."""
    lines: list[str] = []
    for line in text.splitlines():
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            lines.append(line)
            continue
        lines += json.dumps(value, indent=2, ensure_ascii=False).splitlines()
    return lines


def _notes(recording: Recording, image: Image) -> list[str]:
    if image.digest == recording.image:
        return []
    return [
        f"The sandbox is another one than the record's (Firebrick {recording.firebrick}, image "
        f"{recording.image[:12]}; here {image.digest[:12]})."
    ]
