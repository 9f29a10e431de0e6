"""What is known of a state from what its writers said, and what may be found in it after a kill."""

import threading
from collections.abc import Mapping
from typing import Any  # JSON

from tests.durability.load import States


class Ledger:
    """Entities as they were last acknowledged, and the writes that were on their way."""

    def __init__(self, states: States | None = None) -> None:
        self.states: States = dict(states or {})
        self.wanted: States = {}
        self.acknowledged = 0
        self._lock = threading.Lock()

    def note(self, said: Mapping[str, Any]) -> None:
        """Keep one thing that a writer says."""
        with self._lock:
            if "want" in said:
                self.wanted[said["want"]] = said["state"]
            else:
                del self.wanted[said["done"]]
                self.states[said["done"]] = said["state"]
                self.acknowledged += 1

    def of(self, *kinds: str) -> States:
        """Return the entities of some kinds."""
        return {name: state for name, state in self.states.items() if name.startswith(kinds)}

    def asked(self) -> States:
        """Return everything to be looked for, with what is known of it."""
        return {**dict.fromkeys(self.wanted), **self.states}

    def settle(self, found: States) -> None:
        """Compare with what was found, and go on from there.

        A write that was on its way has happened whole, or not at all.
        """
        for name, now in found.items():
            allowed = [self.states.get(name)]
            if name in self.wanted:
                allowed.append(self.wanted[name])
            assert any(same(now, one) for one in allowed), (name, now, allowed)
            self.states[name] = now
        self.wanted.clear()


def same(found: Any, wanted: Any) -> bool:
    """Whether an entity is as it was wanted; what was not known before is not compared."""
    if found is None or wanted is None:
        return found is wanted
    return all(found.get(name) == value for name, value in wanted.items())
