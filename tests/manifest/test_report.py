import json

from runtime.manifest.problems import Problem
from runtime.manifest.report import (
    below,
    github_report,
    json_report,
    sarif_report,
    summary,
    text_report,
)

ERROR = Problem("manifest.yml", 3, 5, "error", "valid-module-required", "It is wrong.", "Mend it.")
WARNING = Problem("src/index.js", 1, 1, "warning", "firebrick/a,b", "100% odd:\nvery.")
BOTH = (ERROR, WARNING)


def test_the_text_report_lists_and_counts() -> None:
    assert text_report(BOTH, "manifest.yml") == (
        "manifest.yml:3:5  error  valid-module-required  It is wrong.\n"
        "    Mend it.\n"
        "src/index.js:1:1  warning  firebrick/a,b  100% odd:\\nvery.\n"
        "\n"
        "2 problems (1 error, 1 warning) in manifest.yml"
    )


def test_nothing_found_is_said_in_one_line() -> None:
    assert text_report((), "manifest.yml") == "No problems found."


def test_the_summary_names_only_levels_that_there_are() -> None:
    assert summary((ERROR,), "m") == "1 problem (1 error) in m"
    assert summary((WARNING, WARNING), "m") == "2 problems (2 warnings) in m"


def test_the_json_report_is_one_object() -> None:
    found = json.loads(json_report(BOTH, "manifest.yml"))
    assert (found["manifest"], found["errors"], found["warnings"]) == ("manifest.yml", 1, 1)
    assert found["problems"][0] == {
        "path": "manifest.yml", "line": 3, "column": 5, "level": "error",
        "rule": "valid-module-required", "message": "It is wrong.", "hint": "Mend it.",
    }  # fmt: skip
    assert json.loads(json_report((), "m"))["problems"] == []


def test_the_sarif_report_has_rules_results_and_regions() -> None:
    found = json.loads(sarif_report(BOTH, "manifest.yml"))
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["firebrick/a,b", "valid-module-required"]
    first = run["results"][0]
    assert rules[first["ruleIndex"]] == first["ruleId"] == "valid-module-required"
    assert (first["level"], first["message"]["text"]) == ("error", "It is wrong. Mend it.")
    place = first["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "manifest.yml"
    assert place["region"] == {"startLine": 3, "startColumn": 5}


def test_paths_are_percent_encoded_in_sarif() -> None:
    odd = Problem("my app/manifest.yml", 1, 1, "error", "r", "x")
    (result,) = json.loads(sarif_report((odd,), "m"))["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "my%20app/manifest.yml"


def test_github_annotations_are_escaped_as_its_runner_reads_them() -> None:
    lines = github_report(BOTH, "manifest.yml").splitlines()
    assert lines == [
        "::error file=manifest.yml,line=3,col=5,title=valid-module-required::It is wrong. Mend it.",
        "::warning file=src/index.js,line=1,col=1,title=firebrick/a%2Cb::100%25 odd:\\nvery.",
        "2 problems (1 error, 1 warning) in manifest.yml",
    ]


def test_paths_can_be_told_from_outside_of_the_folder() -> None:
    assert below(BOTH, ".") == BOTH
    assert [one.path for one in below(BOTH, "apps/one/")] == [
        "apps/one/manifest.yml", "apps/one/src/index.js",
    ]  # fmt: skip
