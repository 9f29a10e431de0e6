"""Read a world file: to a world that can be made, or to problems with their places."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from runtime.errors import ManifestError
from runtime.hostfunctions.stubreader import StubError, read_stubs
from runtime.hostfunctions.stubs import EgressStub
from runtime.manifest.files import read_limited
from runtime.manifest.nearest import nearest
from runtime.manifest.nodes import Node, thaw
from runtime.manifest.problems import OURS, Problem, in_order, listed, quoted
from runtime.manifest.yaml_nodes import compose, decode
from runtime.server.world.check import check_world
from runtime.server.world.merge import KEYS, merge
from runtime.server.world.model import FILE_NAME, World, WorldFile
from runtime.server.world.places import EGRESS, FORM, Finding, Place, Places, shown

MOST_BYTES = 16 * 1024 * 1024  # a world of 20,000 issues
MOST_VALUES = 1_000_000
MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class WorldReport:
    """What reading a world file came to.

    Attributes:
        world: The world; None if there is any error.
        problems: Findings in the order of the file.
    """

    world: World | None
    problems: tuple[Problem, ...]


def read_world(path: Path, environ: Mapping[str, str] | None = None) -> WorldReport:
    """Read a world file.

    Args:
        path: The file.
        environ: The host's environment, which must have the variables that are taken from it; None
            where the world is only looked at.
    """
    raw = read_limited(path, MOST_BYTES)
    if raw is None:
        message = f"There is no {path.name} that can be read."
        problem = Problem(path.name, 1, 1, "error", OURS + FORM, message)
        return WorldReport(None, (problem,))
    return parse_world(raw, path.name, path.absolute().parent, environ)


def require_world(path: Path) -> World:
    """Return the world of a file, to be made.

    Raises:
        ManifestError: ``BAD_WORLD`` with every finding.
    """
    report = read_world(path, os.environ)
    if report.world is None:
        findings = "\n".join(problem.text() for problem in report.problems)
        raise ManifestError("BAD_WORLD", f"the world of {path} cannot be made.\n{findings}")
    return report.world


def parse_world(
    raw: bytes, path: str, folder: Path, environ: Mapping[str, str] | None = None
) -> WorldReport:
    """Read a world file's bytes: for any bytes a world or problems, never an exception.

    Args:
        raw: The file.
        path: Its name in problems.
        folder: Where the apps it names are looked for.
        environ: As for `read_world`.
    """
    text, problems = decode(raw, path, MOST_BYTES)
    if text is None:
        return WorldReport(None, problems)
    composed = compose(text, path, MOST_VALUES)
    problems += composed.problems
    root = composed.root
    if any(problem.level == "error" for problem in problems):
        return WorldReport(None, in_order(problems))
    merged = merge({} if root is None else thaw(root.plain()))
    places = Places(root or Node(None), merged, path)
    problems += tuple(_duplicates(root or Node(None), path))
    findings = list(_form(merged))
    world, stubs = None, _stubs(merged, findings)
    if not findings:
        file = WorldFile.model_validate(merged)
        world = World(file, stubs, folder, environ, path)
        findings += islice(check_world(world), MOST_PROBLEMS)
    problems += tuple(islice(places.problems(findings), MOST_PROBLEMS))
    failed = any(problem.level == "error" for problem in problems)
    return WorldReport(None if failed else world, in_order(problems))


def _form(merged: Any) -> Iterator[Finding]:  # Any: what YAML gives
    if not isinstance(merged, dict):
        yield Finding((), FORM, "The file must be a map.", "Begin with `sites:` or `users:`.")
        return
    try:
        WorldFile.model_validate(merged)
    except ValidationError as error:
        for fault in error.errors(include_url=False, include_input=False):
            yield _fault(tuple(fault["loc"]), fault["type"], fault["msg"], merged)


def _fault(place: Place, kind: str, message: str, merged: Any) -> Finding:  # Any: as above
    above, name = shown(place[:-1], merged) or "The file", quoted(str(place[-1] if place else ""))
    if kind == "missing":
        return Finding(place, FORM, f"{above} lacks {name}.", f"Add `{place[-1]}:`.")
    if kind == "extra_forbidden":
        return Finding(place, FORM, f"{above} may not have {name}.", _near(place))
    said = message.removeprefix("Value error, ").replace("Input should", "it must")
    where = shown(tuple(part for part in place if not _is_tag(part)), merged) or "The file"
    return Finding(place, FORM, f"{where}: {said}.")


def _is_tag(part: str | int) -> bool:
    """Whether a part of a place names an alternative of a type rather than a key."""
    return isinstance(part, str) and ("[" in part or part in ("str", "dict", "list"))


def _near(place: Place) -> str:
    section = next((part for part in reversed(place[:-1]) if isinstance(part, str)), "")
    known = known_keys(section)
    found = nearest(str(place[-1]), known, 1)
    return f"Did you mean {listed(found)}?" if found else f"It may have {listed(known, 40)}."


def known_keys(section: str) -> tuple[str, ...]:
    """Return the keys that an entry of a section may have; of the file for no section."""
    definitions = WorldFile.model_json_schema(by_alias=True)
    parts = [definitions, *definitions["$defs"].values()]
    if not section:
        return tuple(definitions["properties"])
    for part in parts:
        inner = part.get("properties", {}).get(section, {}).get("items", {}).get("$ref", "")
        if inner:
            return tuple(definitions["$defs"][inner.rpartition("/")[2]]["properties"])
    return ()


def _stubs(merged: Any, findings: list[Finding]) -> tuple[EgressStub, ...]:  # Any: as above
    section = merged.get("egress") if isinstance(merged, dict) else None
    try:
        return read_stubs(section)
    except StubError as error:
        findings.append(Finding(("egress", *error.place), EGRESS, error.message))
        return ()


def _duplicates(root: Node, path: str) -> Iterator[Problem]:
    """Yield entries of the file whose key stands there twice: the second would change the first."""
    sites = root.get("sites")
    for node in (root, *(sites.items if sites else ())):
        for section, key in KEYS.items():
            below = node.get(section)
            seen: set[object] = set()
            for item in below.items if below else ():
                name = found.scalar if (found := item.get(key)) else None
                if name is not None and name in seen:
                    place, message = item.position, f"{section} has {quoted(name)} twice."
                    hint = "Join the two entries."
                    yield Problem(
                        path, place.line, place.column, "error", OURS + FORM, message, hint
                    )
                seen.add(name)


__all__ = ["FILE_NAME", "WorldReport", "parse_world", "read_world", "require_world"]
