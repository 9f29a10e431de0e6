"""Imported once by the process that the others are forked from: what they need is there then.

It opens a state in memory and writes to it, which compiles and caches what a first run compiles.
"""

from random import Random

from runtime.server.net.serving import create_app
from runtime.server.runtime import open_firebrick
from runtime.server.settings import Settings
from tests.durability.checker import check
from tests.durability.load import Diary, IssueLoad, in_process
from tests.durability.writer import write

with open_firebrick(Settings(database_url="sqlite://")) as _firebrick:
    _token, _secret = _firebrick.api_tokens.create(_firebrick.find_person("paul"), "warm")
    _ask = in_process(_firebrick, "paul@acme.example", _secret.get_secret_value())
    _load = IssueLoad(_ask, Diary(lambda _said: None, {}), Random(0), "warm")
    for _step in range(30):
        _load.step()
    create_app(_firebrick)

__all__ = ["check", "write"]
