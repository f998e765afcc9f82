"""What every action has in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.utils.translation import gettext as _

from contacts.models import Business, Change, Contact, Machine
from integrations import merge_fields
from integrations.automations.inputs import Input
from integrations.models import OperationRun

MOST_LETTERS = 60  # of a text within a sentence


class CannotDo(Exception):
    """This cannot be done with what was given; the message says why, to an admin."""


@dataclass(frozen=True)
class Scene:
    """What an action acts on. `scope` fills in its texts; `step` names this step of this run, once."""

    business: Business
    contact: Contact | None
    scope: Mapping[str, Any]
    step: str = ""


@dataclass(frozen=True)
class Done:
    """What came of it. With an operation, it has come only when that has ended."""

    change: Change | None = None
    operation: OperationRun | None = None
    sentence: str = ""


@dataclass(frozen=True)
class Plan:
    """What the action will do, found without doing it. `says` is the sentence, with the values as they are.

    `calls` are the requests to GHL it costs. `act(by)` does it, within the transaction of whoever calls.
    """

    says: str
    calls: int
    act: Callable[[Machine], Done] = field(repr=False, compare=False)


class Action:
    """One thing a rule can do. In a rule it is {"do": key, "values": {…}}, with the values its inputs ask for."""

    key: ClassVar[str]
    label: ClassVar[Any]
    group: ClassVar[Any]
    inputs: ClassVar[tuple[Input, ...]] = ()
    calls: ClassVar[int] = 2  # requests to GHL that one time costs: it is sent, and read back
    needs_contact: ClassVar[bool] = True

    def inputs_with(self, values: Mapping[str, Any], business: Business) -> tuple[Input, ...]:
        """The boxes of its form; those of an operation depend on which."""
        return self.inputs

    def check(self, values: Mapping[str, Any], business: Business) -> list[tuple[str, str]]:
        """(input, sentence) of what is wrong with the values as the admin wrote them."""
        boxes = self.inputs_with(values, business)
        found = [(each.name, each.check(values.get(each.name), business)) for each in boxes]
        unknown = set(values) - {each.name for each in boxes}
        found += [(name, _("%(name)s is not known to this action.") % {"name": name}) for name in sorted(unknown)]
        return [(name, sentence) for name, sentence in found if sentence]

    def say(self, values: Mapping[str, Any], business: Business | None = None) -> str:
        """What it does, in words that follow "then": "add the tag “vip”"."""
        raise NotImplementedError

    def plan(self, values: Mapping[str, Any], scene: Scene) -> Plan:
        """What it will do with values that are filled in. Writes nothing. CannotDo says why not."""
        raise NotImplementedError

    def word(self, name: str, values: Mapping[str, Any], business: Business | None) -> str:
        """A value as people read it, by its box's choices."""
        box = next(each for each in self.inputs if each.name == name)
        return box.word_for(values.get(name) or box.default, business)


def filled(values: Any, scope: Mapping[str, Any]) -> Any:
    """The values with their merge fields filled in, however deep. CannotDo where a text is none."""
    if isinstance(values, str):
        try:
            return merge_fields.fill_in(values, scope)
        except merge_fields.BadText as bad:
            raise CannotDo(str(bad)) from None
    if isinstance(values, dict):
        return {name: filled(each, scope) for name, each in values.items()}
    if isinstance(values, list):
        return [filled(each, scope) for each in values]
    return values


def short(text: Any) -> str:
    text = " ".join(str(text or "").split()) or "…"
    return text if len(text) <= MOST_LETTERS else f"{text[: MOST_LETTERS - 1]}…"


def contact_of(scene: Scene, may_be_deleted: bool = False) -> Contact:
    """Whom the action is about. CannotDo where that is nobody, or nobody any more."""
    if scene.contact is None:
        raise CannotDo(_("It is not known which contact this is about."))
    if scene.contact.deleted_at is not None and not may_be_deleted:
        raise CannotDo(_("The contact has been deleted."))
    return scene.contact
