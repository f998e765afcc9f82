"""Who acts when no person does."""

from dataclasses import dataclass

from contacts.models.change import ActorKind


@dataclass(frozen=True)
class Machine:
    """The ERP or a rule, given as `by` to the verbs of a record. `cause` is the line of history that led to it."""

    kind: str
    name: str = ""
    cause: object = None

    def __str__(self):
        return self.name


def person(by):
    """The user, or None where a machine or nobody in particular acts."""
    return None if isinstance(by, Machine) else by


def kind(by):
    if isinstance(by, Machine):
        return by.kind
    return ActorKind.PERSON if by else ActorKind.SYSTEM


def cause(by):
    return by.cause if isinstance(by, Machine) else None
