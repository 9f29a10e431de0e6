"""Make a world in the state of the settings, whether there is one already or not."""

from runtime.database import writing
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from runtime.server.world.model import World
from runtime.server.world.seed import Seeder, Summary


def make_world(settings: Settings, world: World) -> Summary:
    """Make a world, or replace the one that is there: whole or not at all.

    What is deployed and what has happened (audit trail, invocations, recordings) stays. A server
    that runs on the state goes on with the new world; only its clock and its stubs are those of the
    moment at which it started.

    Raises:
        ManifestError: The world cannot be made: ``BAD_WORLD``, or an app cannot be deployed.
        StateError: The state cannot be used.
    """
    with open_firebrick(settings, seed=lambda *_: None) as firebrick:
        seeder = Seeder(
            settings, firebrick.engine, firebrick.clock, firebrick.ids, firebrick.images
        )
        prepared = seeder.prepare(world)
        with writing(firebrick.engine) as connection:
            return seeder.write(connection, prepared)
