"""One line of a mapping: which field of the ERP, which of the contact, and what holds between them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from integrations.mapping.targets import COMPANY, CUSTOM, TAGS, Target
from integrations.mapping.transforms import LONGEST, STEPS, Around, Lookup, Step

MOST_LINES = 200
MISSING = object()  # the ERP has said nothing of it


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    BOTH = "both"


class Empty(StrEnum):
    """What happens when the ERP says that there is nothing."""

    LEAVE = "leave"
    CLEAR = "clear"
    DEFAULT = "default"


class Conflict(StrEnum):
    """What happens when something else stands there."""

    ERP = "erp"
    PERSON = "person"
    IF_EMPTY = "if_empty"


WORDS = {
    Direction.IN: gettext_lazy("ERP → contact"),
    Direction.OUT: gettext_lazy("contact → ERP"),
    Direction.BOTH: gettext_lazy("both ways"),
    Empty.LEAVE: gettext_lazy("leave what is here"),
    Empty.CLEAR: gettext_lazy("empty it here too"),
    Empty.DEFAULT: gettext_lazy("write this instead:"),
    Conflict.ERP: gettext_lazy("the ERP wins"),
    Conflict.PERSON: gettext_lazy("keep what a person wrote"),
    Conflict.IF_EMPTY: gettext_lazy("fill it only when it is empty"),
}
DEFAULTS = {"direction": Direction.IN, "empty": Empty.LEAVE, "conflict": Conflict.ERP}
NEITHER = ("email", "tel", "zone", "country", "select", "many", "owner", "yes_no")  # no field for dates and numbers
KEYS = ("erp", "contact", "direction", "steps", "empty", "default", "conflict")


@dataclass(frozen=True)
class Problem:
    """What is wrong with line number `index`, and with which of its keys."""

    index: int
    key: str
    sentence: str


@dataclass(frozen=True)
class Line:
    erp: str
    contact: str
    direction: str = Direction.IN
    steps: tuple[Step, ...] = ()
    empty: str = Empty.LEAVE
    default: str = ""
    conflict: str = Conflict.ERP
    names: tuple[str, ...] = field(default=(), compare=False)  # of the steps, unknown ones too

    @classmethod
    def read(cls, told: Any) -> "Line":
        """Of what is kept or imported. Whether it makes sense, `problems` tells."""
        told = told if isinstance(told, Mapping) else {}
        listed = told.get("steps")
        listed = listed if isinstance(listed, list) else []
        steps = [{"do": one} if isinstance(one, str) else one for one in listed]
        steps = [one if isinstance(one, Mapping) else {"do": str(one)} for one in steps]
        text = {key: str(told.get(key) or "").strip() for key in KEYS if key != "steps"}
        return cls(
            erp=text["erp"], contact=text["contact"], direction=text["direction"] or Direction.IN,
            steps=tuple(STEPS[str(one.get("do"))](one) for one in steps if str(one.get("do")) in STEPS),
            empty=text["empty"] or Empty.LEAVE, default=text["default"], conflict=text["conflict"] or Conflict.ERP,
            names=tuple(str(one.get("do", "")) for one in steps),
        )  # fmt: skip

    def told(self) -> dict[str, Any]:
        """As it is kept and exported, in an order that never changes; what goes without saying is left out."""
        steps = [{"do": one.name, **one.told} if one.told else one.name for one in self.steps]
        whole = {key: getattr(self, key) for key in KEYS} | {"steps": steps}
        if self.empty != Empty.DEFAULT:
            whole["default"] = ""
        return {
            key: str(value) if isinstance(value, StrEnum) else value
            for key, value in whole.items() if value and value != DEFAULTS.get(key)
        }  # fmt: skip

    @property
    def goes_in(self) -> bool:
        return self.direction in (Direction.IN, Direction.BOTH)

    @property
    def goes_out(self) -> bool:
        return self.direction in (Direction.OUT, Direction.BOTH)

    @property
    def is_tag(self) -> bool:
        return self.contact in TAGS

    @property
    def makes_its_own(self) -> bool:
        """It needs nothing from the ERP: a constant, a text."""
        return bool(self.steps) and not self.steps[0].needs_value

    @property
    def table_values(self) -> list[str]:
        return [value for one in self.steps if isinstance(one, Lookup) for value in one.results()]

    # --- what is wrong with it ------------------------------------------------------------------------------------

    def problems(self, targets: Mapping[str, Target]) -> list[tuple[str, str]]:
        """(key, sentence) of each."""
        target = targets.get(self.contact)
        found = [*self._missing(target), *self._unknown_words()]
        for step in self.steps:
            found += [("steps", sentence) for sentence in step.problems()]
        if found or target is None:
            return found
        if self.goes_out:
            found += [("steps", sentence) for step in self.steps for sentence in step.problems_back()]
            if self.is_tag:
                found.append(("direction", _("Tags are only taken from the ERP.")))
        found += self._of_type(target)
        if self.contact == "tag:one" and not self.table_values:
            found.append(("steps", _("Give it a table: of its tags the contact has one at a time.")))
        return found

    def _missing(self, target):
        if not self.erp and not (self.makes_its_own and self.direction == Direction.IN):
            yield "erp", _("Say which field of the ERP it is.")
        if len(self.erp) > LONGEST:
            yield "erp", _("This name is too long.")
        if not self.contact:
            yield "contact", _("Say which field of the contact it is.")
        elif target is None and self.contact.startswith(CUSTOM):
            name = self.contact.removeprefix(CUSTOM)
            yield "contact", _("No location of this business has a field “%(name)s”.") % {"name": name}
        elif target is None:
            yield "contact", _("A contact has no field “%(name)s” that can be filled.") % {"name": self.contact}

    def _unknown_words(self):
        for key, words in (("direction", Direction), ("empty", Empty), ("conflict", Conflict)):
            if getattr(self, key) not in list(words):
                known = ", ".join(words)
                yield key, _("“%(word)s” is none of: %(known)s.") % {"word": getattr(self, key), "known": known}
        for name in self.names:
            if name not in STEPS:
                yield "steps", _("No step is called “%(name)s”. There are: %(known)s.") % {
                    "name": name, "known": ", ".join(STEPS),
                }  # fmt: skip
        if self.empty == Empty.DEFAULT and not self.default:
            yield "default", _("Say what to write when the ERP has nothing.")

    def _of_type(self, target):
        """Values that are known beforehand must fit the field, and steps must not lead elsewhere."""
        if not self.goes_in:
            return
        known = {"steps": self._last_results(), "default": [self.default] if self.empty == Empty.DEFAULT else []}
        for key, values in known.items():
            for value in values:
                if value and (why := target.objection(value)):
                    yield key, f"“{value}”: {why}"
                    break
        last = self.steps[-1].name if self.steps else ""
        if last in ("date", "number") and target.control in NEITHER:
            yield "steps", _("%(field)s is no field for a %(kind)s.") % {
                "field": target.label, "kind": _("date") if last == "date" else _("number"),
            }  # fmt: skip
        if (last == "date" and target.control in ("number", "money")) or (last, target.control) == ("number", "date"):
            yield "steps", _("%(field)s takes a %(kind)s.") % {"field": target.label, "kind": target.kind}
        if self.contact == COMPANY and self.conflict == Conflict.PERSON:
            yield "conflict", _("The company is filled only when the contact is new, so nobody has written it before.")

    def _last_results(self):
        """What the steps end in, where the last that decides is a table or a constant."""
        values: list[str] = []
        for step in self.steps:
            values = step.results() or [str(one) for one in _after(step, values)]
        return values

    # --- on the way -----------------------------------------------------------------------------------------------

    def read_from(self, body: Mapping[str, Any]) -> Any:
        """What the ERP says in this field, or MISSING. In a customer, `fields.` may be left out."""
        if not self.erp:
            return None if "subject" not in body else MISSING
        found = follow(body, self.erp)
        if found is MISSING and "subject" not in body:
            found = follow(body.get("fields") or {}, self.erp)
        elif found is None and "." not in self.erp:
            return MISSING  # of its own fields, a customer holds those that were not sent as null
        return found

    def ahead(self, value: Any, around: Around) -> Any:
        """Towards the contact. An empty value goes only through steps that make one of their own."""
        for step in self.steps:
            if not step.needs_value or not is_empty(value):
                value = step.ahead(value, around)
        return value

    def back(self, value: Any, around: Around) -> Any:
        for step in reversed(self.steps):
            if not is_empty(value):
                value = step.back(value, around)
        return value

    def say(self) -> str:
        """What happens to the value, in words."""
        return "; ".join(step.say() for step in self.steps)


def _after(step, values):
    return [step.ahead(value, Around()) for value in values] if step.name in ("trim", "lower", "upper", "title") else []


def follow(body: Any, way: str) -> Any:
    """The value at a way like "fields.tier" or "payload.lines.0.total"; names may hold dots themselves."""
    if isinstance(body, list):
        head, _dot, rest = way.partition(".")
        if not (head.isascii() and head.isdigit()) or len(head) > 6 or int(head) >= len(body):
            return MISSING
        return follow(body[int(head)], rest) if rest else body[int(head)]
    if not isinstance(body, Mapping):
        return MISSING
    if way in body:
        return body[way]
    parts = way.split(".")
    for count in range(1, len(parts)):
        head = ".".join(parts[:count])
        if head in body:
            found = follow(body[head], ".".join(parts[count:]))
            if found is not MISSING:
                return found
    return MISSING


def is_empty(value: Any) -> bool:
    return value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip())


def read_all(told: Any) -> list[Line]:
    return [Line.read(one) for one in told] if isinstance(told, list) else []


def check(lines: Sequence[Line], targets: Mapping[str, Target]) -> list[Problem]:
    """All that is wrong with a mapping; [] when it can be used."""
    found = [Problem(i, key, words) for i, line in enumerate(lines) for key, words in line.problems(targets)]
    if len(lines) > MOST_LINES:
        words = _("A mapping has at most %(most)d lines.") % {"most": MOST_LINES}
        found.append(Problem(MOST_LINES, "erp", words))
    written: dict[str, int] = {}
    told: dict[str, int] = {}
    for index, line in enumerate(lines):
        if line.goes_in and line.contact and not line.is_tag:
            if line.contact in written:
                label = targets[line.contact].label if line.contact in targets else line.contact
                words = _("%(field)s is written by line %(n)d already.") % {
                    "field": label, "n": written[line.contact] + 1,
                }  # fmt: skip
                found.append(Problem(index, "contact", words))
            written.setdefault(line.contact, index)
        if line.goes_out and line.erp:
            if line.erp in told:
                words = _("%(field)s is told to the ERP by line %(n)d already.") % {
                    "field": line.erp, "n": told[line.erp] + 1,
                }  # fmt: skip
                found.append(Problem(index, "erp", words))
            told.setdefault(line.erp, index)
    return sorted(found, key=lambda one: one.index)
