"""What administrators and time do to everybody."""

from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule

from tests.hostile.rights.facts import (
    ADDONS,
    BROWSE,
    CONFIGURE,
    CONNECT,
    DEVELOPERS,
    EDIT,
    FORGE,
    PEOPLE,
    ROLES,
)
from tests.hostile.rights.held import FIRST_SCHEME, RightsMachine, often, people, sites

everybody = st.sampled_from((*PEOPLE, FORGE, CONNECT))
schemes = st.one_of(
    st.just(FIRST_SCHEME),
    st.frozensets(
        st.tuples(st.sampled_from([BROWSE, EDIT, CONFIGURE]), st.sampled_from(ROLES)), max_size=9
    ),
    st.just(FIRST_SCHEME | {(one, ADDONS) for one in (BROWSE, EDIT, CONFIGURE)}),
)


class SiteRules(RightsMachine):
    """Roles, the group of administrators, the permission scheme, accounts, the clock."""

    @rule(who=everybody, role=st.sampled_from(ROLES), site=sites, member=st.booleans())
    def move_role(self, who: str, role: str, site: int, member: bool) -> None:
        known = (who in self.facts.active) or (who, site) in self.place.app_ids
        if member == ((who, role, site) in self.facts.members) or not known:
            return
        if member and (who, site) in self.place.app_ids:
            return  # an app's account is given rights by installing it
        self.place.set_member(who, role, site, member=member)
        (self.facts.members.add if member else self.facts.members.discard)((who, role, site))

    @rule(who=everybody, site=sites, member=st.booleans())
    def move_admin(self, who: str, site: int, member: bool) -> None:
        if who not in PEOPLE and (member or (who, site) not in self.place.app_ids):
            return
        self.place.set_admin(who, site, member=member)
        (self.facts.admins.add if member else self.facts.admins.discard)((who, site))

    @rule(site=sites, grants=schemes)
    def change_scheme(self, site: int, grants: frozenset[tuple[str, str]]) -> None:
        self.place.set_scheme(site, grants)
        self.facts.schemes[site] = grants

    @rule(handle=people, gone=often)
    def deactivate(self, handle: str, gone: bool) -> None:
        self.place.set_active(handle, active=not gone)
        (self.facts.active.discard if gone else self.facts.active.add)(handle)

    @rule(hours=st.sampled_from([0.02, 0.1, 0.2, 0.3, 0.9, 1.1, 25, 24 * 40, 24 * 100]))
    def wait(self, hours: float) -> None:
        self.advance(hours * 3600)

    def renew(self) -> None:
        if self.turn % 3 == 0 and "dana" not in self.facts.active:
            self.deactivate(handle="dana", gone=False)
        if self.turn % 4 == 0 and "dana" in self.facts.active:
            self.move_role(who="dana", role=DEVELOPERS, site=0, member=True)
        if self.turn % 5 == 0 and self.facts.schemes[0] < FIRST_SCHEME:
            self.change_scheme(site=0, grants=FIRST_SCHEME)
        super().renew()

    @invariant()
    def every_call_is_worth_what_the_rule_says(self) -> None:
        self.compare()
        self.renew()
