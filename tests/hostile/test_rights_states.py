"""No sequence of events lets a call through that scopes and permissions, as they are now, refuse.

Nor does any sequence have one refused that they allow. All four models live in one world of two
sites, and every credential that was ever made is kept and shown again, on both hosts of both sites.
The reference is `tests/hostile/rights/facts.py`: the rule itself over a few plain sets.
"""

import pytest
from hypothesis import HealthCheck, settings

from tests.hostile.rights.connect_rules import ConnectRules
from tests.hostile.rights.forge_rules import ForgeRules
from tests.hostile.rights.oauth_rules import OAuthRules
from tests.hostile.rights.script_rules import ScriptRules
from tests.hostile.rights.site_rules import SiteRules

pytestmark = pytest.mark.hostile


class Life(ForgeRules, ConnectRules, OAuthRules, ScriptRules, SiteRules):
    """Everything that can happen, in any order."""


Life.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
TestLife = Life.TestCase
