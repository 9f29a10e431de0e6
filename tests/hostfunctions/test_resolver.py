"""The resolver stand-in, quirk by quirk as measured on the original."""

import pytest

from tests.guests.lab import value_of

SETUP = """
const Resolver = packages.resolver.default;
const made = (functions) => {
  const resolver = new Resolver();
  for (const [name, cb] of Object.entries(functions)) resolver.define(name, cb);
  return resolver.getDefinitions();
};
const call = (functions, functionKey, more = {}, backend = {}) => made(functions)(
  { call: { functionKey, ...more.call }, ...more }, backend);
"""


def resolved(source: str) -> object:
    """Return the value of an expression that uses the resolver."""
    return value_of(source, setup=SETUP)


def test_the_platforms_words_overwrite_what_the_browser_sent() -> None:
    source = """made({ a: (request) => request })(
      { call: { functionKey: 'a', payload: { z: 1 }, jobId: 'j' },
        context: { accountId: 'evil', license: 'evil', installContext: 'evil', jobId: 'evil',
          x: 1 } },
      { principal: { accountId: 'P' }, installContext: 'IC', license: { active: true },
        installation: { ari: 1 }, other: 2 })"""
    assert resolved(source) == {
        "payload": {"z": 1},
        "context": {
            "x": 1,
            "installContext": "IC",
            "accountId": "P",
            "license": {"active": True},
            "jobId": "j",
            "installation": {"ari": 1},
        },
    }


@pytest.mark.hostile
@pytest.mark.parametrize("backend", ["{}", "undefined", "{ installContext: 'IC' }"])
def test_without_a_principal_there_is_no_account_whatever_the_browser_says(backend: str) -> None:
    source = f"""made({{ a: ({{ context }}) => 'accountId' in context && context.accountId }})(
      {{ call: {{ functionKey: 'a' }}, context: {{ accountId: 'evil' }} }}, {backend})"""
    assert resolved(source) == "undefined"


@pytest.mark.parametrize(
    ("payload", "seen"),
    [("undefined", {}), ("0", {}), ("null", {}), ("''", {}), ("'s'", "s"), ("7", 7)],
)
def test_an_empty_payload_is_an_empty_object(payload: str, seen: object) -> None:
    handler = "made({ a: ({ payload }) => payload })"
    source = f"{handler}({{ call: {{ functionKey: 'a', payload: {payload} }} }})"
    assert resolved(source) == seen


@pytest.mark.parametrize(
    ("result", "seen"),
    [
        ("null", None),
        ("undefined", "undefined"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("({ a: undefined, d: new Date(0), f() {} })", {"d": "1970-01-01T00:00:00.000Z"}),
        ("[undefined, () => 1]", [None, None]),
        ("new Map([[1, 2]])", {}),
        ("Promise.resolve({ p: 1 })", {"p": 1}),
        ("'x'", "x"),
    ],
)
def test_an_object_result_passes_through_json(result: str, seen: object) -> None:
    assert resolved(f"call({{ a: () => {result} }}, 'a')") == seen


@pytest.mark.parametrize("result", ["() => 1", "1n", "Symbol('q')"])
def test_other_results_pass_through_as_they_are(result: str) -> None:
    source = f"call({{ a: () => {result} }}, 'a').then((one) => typeof one)"
    assert resolved(source) in ("function", "bigint", "symbol")


ALREADY = "Resolver definition '{}' already exists."
NOT_A_FUNCTION = "Resolver definition 'b' callback must be a 'function'. Received '{}'."


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("call({}, 'zz')", "Resolver has no definition for 'zz'."),
        ("call({}, '__proto__')", None),
        ("new Resolver().define('toString', () => 1)", ALREADY.format("toString")),
        ("new Resolver().define('a', () => 1).define('a', () => 1)", ALREADY.format("a")),
        ("new Resolver().define('b', 1)", NOT_A_FUNCTION.format("number")),
        ("new Resolver().define('b')", NOT_A_FUNCTION.format("undefined")),
        ("new Resolver().define('b', null)", NOT_A_FUNCTION.format("object")),
        ("packages.resolver.makeResolver({ b: 1 })", NOT_A_FUNCTION.format("number")),
        ("call({ a: () => ({ a: 1n }) }, 'a')", None),
        ("made({})({}, {})", None),
        ("made({})()", None),
        ("call({ a: () => { throw new TypeError('boo'); } }, 'a')", "boo"),
    ],
)
def test_what_the_original_throws_is_thrown(source: str, message: str | None) -> None:
    thrown = resolved(source)
    assert isinstance(thrown, dict)
    assert thrown["name"] == ("Error" if message and message != "boo" else "TypeError")
    assert message is None or thrown["message"] == message


def test_names_of_every_object_count_as_defined() -> None:
    assert resolved("call({}, 'toString')") == "[object Undefined]"


def test_define_returns_the_resolver_and_definitions_take_two_arguments() -> None:
    source = (
        "((one) => [one.define('a', () => 1) === one, one.getDefinitions().length])(new Resolver())"
    )
    assert resolved(source) == [True, 2]


def test_make_resolver_makes_a_handler() -> None:
    handler = "packages.resolver.makeResolver({ a: ({ payload }) => payload })"
    assert resolved(f"{handler}({{ call: {{ functionKey: 'a', payload: 3 }} }}, {{}})") == 3
