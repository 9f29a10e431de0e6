import pytest

from runtime.jira import served
from runtime.jira.served import served_operations
from tests.jira.worlds import TABLE


def test_every_handler_serves_an_operation_of_the_platform() -> None:
    assert all(TABLE.find(key) is not None for key in served_operations())


def test_two_handlers_of_one_operation_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "MODULES", ("server_info", "server_info"))
    with pytest.raises(ValueError, match="two handlers serve getCurrentUser"):
        served_operations()


def test_only_a_get_reads_unless_its_marker_says_so() -> None:
    readers = {
        key
        for key, one in served_operations().items()
        if one.marker.read_only and TABLE.find(key).method != "GET"  # type: ignore[union-attr]
    }
    assert {"getBulkPermissions", "getPermittedProjects"} <= readers
    assert not {key for key in readers if key.startswith(("create", "update", "delete", "set"))}
