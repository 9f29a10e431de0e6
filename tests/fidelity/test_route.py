"""`route` and its relatives answer as the original does, in every case that was measured."""

import json
from pathlib import Path

import pytest

from tests.guests.lab import Calls, evaluate

CASES = json.loads((Path(__file__).parent / "route_cases.json").read_text("utf-8"))["cases"]

SETUP = """
const { route, routeFromAbsolute, assumeTrustedRoute, default: api } = packages.api;
const meant = (given) => {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return given;
  if ('$route' in given) return assumeTrustedRoute(given.$route);
  if ('$usp' in given) return new URLSearchParams(given.$usp);
  if ('$undefined' in given) return undefined;
  return '$nan' in given ? NaN : given;
};
const own = {
  'requireSafeUrl(string)': () => api.asApp().requestJira('/rest/api/3/myself'),
  'requireSafeUrl(undefined)': () => api.asApp().requestJira(undefined),
  'String(Route)': () => ({ value: String(route`/x`) }),
  'set value_ on a Route (private field is a plain property)': () => {
    const one = route`/x`;
    one.value_ = '/y';
    return one;
  },
  'set value on a Route': () => { route`/x`.value = '/y'; },
};
const outcome = (name, given) => {
  try {
    const act = own[name] ?? { route, routeFromAbsolute, assumeTrustedRoute }[name];
    return { value: act(...given.map(meant)).value };
  } catch (error) {
    return { error: error.message, name: error.name, ...(error.code && { code: error.code }) };
  }
};
"""


def test_every_measured_case_comes_out_as_measured() -> None:
    found = evaluate(
        *(f"outcome({json.dumps(name)}, {json.dumps(given)})" for name, given, _ in CASES),
        setup=SETUP,
    )
    wrong = [
        (name, given, want, got)
        for (name, given, want), got in zip(CASES, found, strict=True)
        if want != got
    ]
    assert wrong == []
    assert len(CASES) > 67


@pytest.mark.parametrize("call", ["'/rest/api/3/myself'", "undefined", "{ value: '/rest' }"])
def test_a_path_that_is_no_route_throws_at_once_and_reaches_no_door(call: str) -> None:
    attempt = f"try {{ api.asUser().requestJira({call}); }} catch {{ return 'at once'; }}"
    calls = Calls()
    assert evaluate(f"(() => {{ {attempt} }})()", setup=SETUP, door=calls) == ["at once"]
    assert calls.seen == []
