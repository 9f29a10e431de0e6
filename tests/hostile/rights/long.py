"""Let the machine run for long, by hand.

Usage: ``nice python -m tests.hostile.rights.long EXAMPLES [shrink]``.
"""

import sys

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.hostile.test_rights_states import Life


def main(examples: int, *, shrink: bool) -> None:
    """Run that many random sequences of up to fifty steps; a failure is raised, perhaps shrunk."""
    long = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    run_state_machine_as_test(Life, settings=long)


if __name__ == "__main__":
    main(int(sys.argv[1]), shrink="shrink" in sys.argv)
