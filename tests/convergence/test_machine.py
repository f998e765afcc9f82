"""Whatever happens on both sides: after quiet and one reconciliation, here, there and the base between are the same."""

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.convergence.story import judged, stage, tell
from tests.convergence.world import ACTS, LISTS, World

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

QUICK = settings(
    max_examples=25, stateful_step_count=20, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck), print_blob=False, report_multiple_bugs=False,
)  # fmt: skip


def test_both_sides_converge_whatever_happens(sandbox):
    with stage(sandbox) as clock:

        class Machine(RuleBasedStateMachine):
            def __init__(self):
                super().__init__()
                self.world = World(sandbox, clock)

            @rule(
                name=st.sampled_from([name for name, often in ACTS.items() for _ in range(often)]),
                kind=st.sampled_from(list(LISTS)),
                which=st.integers(0, 19),
                what=st.integers(0, 59),
            )
            def something_happens(self, name, kind, which, what):
                self.world.act(name, kind, which, what)

            def teardown(self):
                story = judged(self.world)
                assert not story.wrong, "\n".join([*story.trace, *story.wrong])

        run_state_machine_as_test(Machine, settings=QUICK)


def test_the_same_seed_tells_the_same_story(sandbox):
    with stage(sandbox) as clock:
        first, second = tell(sandbox, clock, seed=7), tell(sandbox, clock, seed=7)
    assert (first.trace, first.digest, first.wrong) == (second.trace, second.digest, second.wrong)
