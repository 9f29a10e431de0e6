"""Whether every way of a source to the product is one that was read."""

from runtime.manifest.calls import Request
from runtime.manifest.sources import ARGUMENT_LIMIT, Call, Source
from runtime.manifest.tokens import until_close

_ACTING = frozenset({"asUser", "asApp"})
_ASKED = frozenset({"requestJira", "requestConfluence", "requestBitbucket"})
_LOADING = frozenset({"import", "require"})


def is_whole(source: Source, calls: tuple[Call, ...], requests: tuple[Request, ...]) -> bool:
    """Return whether every call of the product in a source is among the requests that were read.

    It is not where `requestJira` is handed on, renamed or given a path that is not known, and where
    `api`, `asUser()` or `asApp()` go anywhere but into a call that can be seen.
    """
    if any(call.name in _LOADING and _is_computed(call) for call in calls):
        return False
    imported = {one.start for one in source.imports}
    if any(one.name != one.local for one in source.imports if one.name == "requestJira"):
        return False
    wanted = [t for t in source.tokens if t.kind == "word" and t.text == "requestJira"]
    read = {request.start for request in requests if request.is_exact}
    if any(token.start not in read | imported for token in wanted):
        return False
    return all(_is_followed(source, at, imported) for at in _ways(source))


def _is_computed(call: Call) -> bool:
    return [token.kind for argument in call.arguments for token in argument] != ["string"]


def _ways(source: Source) -> list[int]:
    """Return where the whole of `@forge/api`, or somebody to act as, is named."""
    found = source.imported("@forge/api").values()
    names = _ACTING | {one.local for one in found if one.name in ("default", "*")}
    tokens = enumerate(source.tokens)
    return [at for at, token in tokens if token.kind == "word" and token.text in names]


def _is_followed(source: Source, at: int, imported: set[int]) -> bool:
    tokens = source.tokens
    if tokens[at].start in imported:
        return True
    if tokens[at].text not in _ACTING:
        is_other = at > 0 and tokens[at - 1].text in (".", "?.")  # a property of the same name
        return is_other or (tokens[at + 1 : at + 2] != () and tokens[at + 1].text in (".", "?."))
    inside = sum(1 for _ in until_close(tokens, at + 2, ARGUMENT_LIMIT))
    behind = tokens[at + 2 + inside : at + 5 + inside]
    return [token.text for token in behind[:2]] == [")", "."] and behind[-1].text in _ASKED
