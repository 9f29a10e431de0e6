"""Every rule of the linter is documented, with its levels, and every documented one exists."""

import ast
import re
from pathlib import Path

from runtime.manifest import check_code, check_timeouts, draft, yaml_nodes
from runtime.manifest.problems import OURS

ROOT = Path(__file__).parents[2]
ROWS = re.findall(
    r"^\| `([^`]+)` \| ([a-z, ]+) \| .+ \| (.*)\|$",
    (ROOT / "docs" / "lint.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
PLATFORM = {
    draft.FILE, draft.DOCUMENT, draft.DEPRECATED, draft.PERMISSIONS, draft.MODULE, draft.RESOURCE,
    draft.APP_CONFIG, draft.SCOPE, draft.EGRESS, yaml_nodes.YAML, check_code.MODULES_RULE,
    check_timeouts.LIMITS_RULE, check_timeouts.SHARED_RULE,
}  # fmt: skip
NAME = re.compile(r"(missing|deprecated)(-[a-z]+)+")  # of platform rules that are named in place


def trees() -> list[ast.Module]:
    files = sorted((ROOT / "runtime" / "manifest").glob("*.py"))
    return [ast.parse(path.read_text(encoding="utf-8")) for path in files]


def rules_of_the_code() -> set[str]:
    found = set(PLATFORM)
    for tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.BinOp) and isinstance(node.left, ast.Name):
                if node.left.id == "OURS" and isinstance(node.right, ast.Constant):
                    found.add(OURS + str(node.right.value))
            elif isinstance(node, ast.Constant) and NAME.fullmatch(str(node.value)):
                found.add(str(node.value))
    return found


def levels_of_the_examples() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for report in (ROOT / "manifests").glob("*/expected.txt"):
        text = report.read_text(encoding="utf-8")
        for level, rule in re.findall(
            r"^\S+:\d+:\d+  (error|warning)  (\S+)  ", text, re.MULTILINE
        ):
            found.setdefault(rule, set()).add(level)
    return found


def test_every_rule_is_documented_once_and_every_documented_one_exists() -> None:
    documented = [rule for rule, _, _ in ROWS]
    assert len(documented) == len(set(documented))
    assert set(documented) == rules_of_the_code()


def test_the_documented_levels_are_those_that_are_given() -> None:
    levels = {rule: set(text.split(", ")) for rule, text, _ in ROWS}
    for rule, given in levels_of_the_examples().items():
        assert given <= levels[rule], rule


def test_every_rule_that_is_mended_says_so() -> None:
    mended = {rule for rule, _, fix in ROWS if fix.strip()}
    assert mended == {
        draft.PERMISSIONS, draft.SCOPE, draft.EGRESS, check_code.MODULES_RULE,
        OURS + "operation-scope", OURS + "storage-scope",
    }  # fmt: skip
