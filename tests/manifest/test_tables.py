import re

from runtime.manifest import tables
from runtime.manifest.shapes import Shape


def all_shapes(shape: Shape) -> list[Shape]:
    below = [*shape.parts, *shape.required.values(), *shape.optional.values()]
    below += [one for one in (shape.values, shape.keys) if one]
    return [shape, *(deeper for one in below for deeper in all_shapes(one))]


def every_shape() -> list[Shape]:
    roots = [tables.document_shape()]
    roots += [v.shape for variants in tables.module_variants().values() for v in variants]
    return [shape for root in roots for shape in all_shapes(root)]


def test_every_pattern_compiles() -> None:
    patterns = {shape.pattern for shape in every_shape() if shape.pattern}
    assert patterns
    for pattern in patterns:
        re.compile(pattern)


def test_every_shape_is_well_formed() -> None:
    for shape in every_shape():
        assert bool(shape.words) == (shape.kind == "choice")
        assert not (shape.kind == "either" and len(shape.parts) < 2)
        assert not (shape.kind == "list" and len(shape.parts) > 1)
        assert set(shape.some) <= shape.known.keys()
        assert not shape.required.keys() & shape.optional.keys()


def test_every_module_type_is_known_with_a_key() -> None:
    variants = tables.module_variants()
    assert len(variants) == 91
    assert all("key" in one.shape.required for ways in variants.values() for one in ways)


def test_scopes_are_counted_and_disjoint() -> None:
    table = tables.scopes()
    forms = (table.classic, table.granular, table.connect, table.platform)
    assert len(table.names) == sum(len(form) for form in forms) == 431
    assert table.interactive == {"read:me", "read:account"}


def test_scopes_of_other_products_are_recognised_by_their_last_part() -> None:
    table = tables.scopes()
    assert table.is_of_other_product("read:page:confluence")
    assert table.is_of_other_product("anything:custom")
    assert not table.is_of_other_product("read:everything:jira")
    assert not table.is_of_other_product("confluence")


def test_every_event_needs_scopes_that_exist() -> None:
    events = tables.event_scopes()
    assert len(events) == 78
    for sets in events.values():
        assert sets["classic"]
        assert all(names <= tables.scopes().names for names in sets.values())


def test_no_event_is_of_two_products() -> None:
    assert not tables.event_scopes().keys() & tables.other_events()


def test_connect_twins_and_other_products_are_kept_unchecked() -> None:
    assert tables.is_unchecked_module("confluence:globalPage")
    assert tables.is_unchecked_module("connect-jira:generalPages")
    assert not tables.is_unchecked_module("jira:nonsense")
