"""What a case is and what it says at the end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CASES: dict[str, "Case"] = {}


@dataclass
class Verdict:
    """`figures` in the order they are read: what decides first, rivals last. All from the sandbox and Postgres."""

    case: str
    expected: str
    figures: dict[str, Any]
    ok: bool
    repeats: str = "1"
    findings: list[str] = field(default_factory=list)


@dataclass
class Case:
    number: str
    what: str
    act: Callable[..., Verdict]


class NotRun(Exception):
    """The reason why a case could not be tried, which is no verdict on the product."""


def case(number, what):
    """Enters the function below into the table. It gets a Rig and returns a Verdict."""

    def enter(act):
        CASES[number] = Case(number, what, act)
        return act

    return enter
