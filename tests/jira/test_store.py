import threading

import pytest
from sqlalchemy import select, update

from runtime.database import open_database
from runtime.jira.configuration import load_site
from runtime.jira.schema import FIRST_ID, project_table, site_table
from runtime.jira.store import Store, next_id
from tests.jira.worlds import World, make_world


def test_ids_begin_at_ten_thousand_and_come_in_a_row() -> None:
    engine = open_database("sqlite://")
    with engine.begin() as connection:
        assert next_id(connection, "thing") == FIRST_ID
        assert next_id(connection, "thing", 5) == FIRST_ID + 1
        assert next_id(connection, "thing") == FIRST_ID + 6
        assert next_id(connection, "other") == FIRST_ID
    engine.dispose()


def test_the_id_of_something_deleted_is_not_given_again(world: World) -> None:
    api = "/rest/api/3/"
    lead = world.account("amy").account_id
    body = {"key": "NEW", "name": "New", "leadAccountId": lead}
    first = world.post(api + "project", body, as_="amy").json["id"]
    assert world.delete(api + "project/NEW?enableUndo=false", as_="amy").status == 204
    assert world.post(api + "project", body, as_="amy").json["id"] == first + 1


def test_what_a_reader_writes_is_dropped(world: World) -> None:
    store = Store(world.engine)
    with store.reading() as connection:
        connection.execute(update(project_table).values(name="x"))
    with world.engine.connect() as connection:
        assert "x" not in connection.execute(select(project_table.c.name)).scalars().all()


def test_an_error_rolls_a_write_back_whole(world: World) -> None:
    store = Store(world.engine)

    def write() -> None:
        with store.writing() as connection:
            connection.execute(update(project_table).values(name="x"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    with world.engine.connect() as connection:
        assert "x" not in connection.execute(select(project_table.c.name)).scalars().all()


def test_the_configuration_is_read_again_only_when_its_revision_is_new(world: World) -> None:
    store = Store(world.engine)
    with store.reading() as connection:
        first = store.enter(connection, world.cloud_id, None)
        again = store.enter(connection, world.cloud_id, None)
        assert first is not None
        assert again is not None
        assert first.site is again.site
    world.put("/rest/api/3/project/PUB", {"name": "New"}, as_="paul")
    with store.reading() as connection:
        later = store.enter(connection, world.cloud_id, None)
    assert later is not None
    assert later.site is not first.site
    assert later.site.projects[10000].name == "New"


def test_a_rolled_back_change_does_not_poison_the_cache(world: World) -> None:
    path = "/rest/api/3/project/PUB"
    bad = {"name": "Never", "releasedProjectKeys": ["NO"]}
    assert world.put(path, bad, as_="amy").status == 400
    assert world.put(path, {"description": "after"}, as_="amy").status == 200
    assert world.get(path).json["name"] == "Public Roadmap"


def test_every_part_of_the_configuration_is_loaded(world: World) -> None:
    with world.engine.connect() as connection:
        site = load_site(connection, world.cloud_id)
        revision = connection.execute(select(site_table.c.revision)).scalar()
    assert site.revision == revision
    empty = {name for name in site.__dataclass_fields__ if not getattr(site, name)}
    assert empty == {"categories", "app_access", "custom_fields"}


def test_writers_of_two_threads_take_turns(tmp_path_factory: pytest.TempPathFactory) -> None:
    url = f"sqlite:///{tmp_path_factory.mktemp('state') / 'state.db'}"
    world = make_world(url)
    lead = world.account_id("amy")

    def create(number: int) -> None:
        body = {"key": f"P{number}", "name": f"Project {number}", "leadAccountId": lead}
        assert world.post("/rest/api/3/project", body, as_="amy").status == 201

    threads = [threading.Thread(target=create, args=(number,)) for number in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ids = [project.id for project in world.site().live_projects()]
    assert sorted(ids) == list(range(10000, 10011))
    world.engine.dispose()


def test_readers_of_a_shared_memory_database_see_no_half_written_state(world: World) -> None:
    names: set[tuple[str, ...]] = set()
    keys = ("name", "description")
    path = "/rest/api/3/project/PUB"

    def read() -> None:
        for _ in range(20):
            project = world.get(path).json
            names.add(tuple(project[key] for key in keys))

    def write() -> None:
        for number in range(20):
            change = {"name": f"N{number}", "description": f"N{number}"}
            assert world.put(path, change, as_="paul").status == 200

    world.account_id("paul")
    threads = [threading.Thread(target=read), threading.Thread(target=write)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.get(path).json["name"] == "N19"
    assert all(name == text for name, text in names if name.startswith("N"))
