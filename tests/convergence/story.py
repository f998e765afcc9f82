"""One seed, one story: the acts that a die chooses, the quiet after them, and what was wrong then."""

import random
from contextlib import contextmanager
from dataclasses import dataclass, field
from unittest import mock

from django.conf import settings

from integrations.reading import pull
from tests.convergence.clock import Clock
from tests.convergence.world import ACTS, LISTS, World


@dataclass
class Story:
    seed: int
    trace: list[str]
    wrong: list[str] = field(default_factory=list)
    digest: list[str] = field(default_factory=list)


@contextmanager
def stage(sandbox):
    """Settings and clock in which nothing but the story decides."""
    with Clock() as clock, mock.patch.object(pull, "READERS", 1):
        settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = sandbox.url
        settings.GHL_RATE_LIMIT = 100_000
        settings.GHL_TIMEOUT_S = 5.0
        yield clock


def tell(sandbox, clock, seed, length=30):
    """The story of this seed."""
    dice = random.Random(seed)
    world = World(sandbox, clock)
    acts = dice.choices(list(ACTS), list(ACTS.values()), k=dice.randint(3, length))
    for name in acts:
        world.act(name, dice.choice(list(LISTS)), dice.randrange(20), dice.randrange(60))
    return judged(world, seed)


def judged(world, seed=0):
    """Quiet, one reconciliation, and what is wrong then; after it another one finds nothing to put right."""
    story = Story(seed, world.trace)
    try:
        world.settle()
        story.wrong = world.differences()
        said, written = world.said(), world.written()
        world.reconcile()
        story.wrong += ["a second check put something right"] if world.said() != said else []
        if world.written() != written:
            # When a task was changed GHL tells only in lists, so one that was read by its contact gets that stamp now.
            written = world.written()
            world.reconcile()
            story.wrong += ["a third check wrote again"] if world.written() != written else []
        story.digest = world.digest()
    except AssertionError as reason:
        story.wrong.append(str(reason))
    return story
