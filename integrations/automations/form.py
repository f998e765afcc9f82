"""A rule as a form: what a page posts becomes its spec, and its spec becomes the boxes that the page draws.

The names of the boxes are "trigger.type", "if.0.1.what" (second condition of the first group) and "do.0.v.title"; the
buttons that change the form itself are called "act" and say how: "trigger {…}", "do {…}", "drop do 1", "up 1".
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.http import QueryDict
from django.utils.functional import cached_property

from contacts.models import Business
from integrations.automations import actions, conditions, triggers
from integrations.automations.inputs import Input
from integrations.automations.offered import LISTS, Offered, names, offered
from integrations.automations.shape import MOST_ACTIONS, Problem
from integrations.catalogue import entries

NEW_CONDITION = {"what": "", "is": "is", "value": ""}
PICKED = {"webhook": "type", "line": "line"}  # what the picker has said already and no box need ask
Spec = dict[str, Any]


def spec_of(data: QueryDict) -> Spec:
    """What the posted form says."""
    return {
        "trigger": _trigger_of(data),
        "conditions": {"any": [{"all": group} for group in _groups_of(data)]},
        "actions": [_action_of(data, f"do.{number}") for number in _numbers(data, r"do\.(\d{1,3})\.key")],
    }


def _trigger_of(data):
    kind = triggers.KINDS.get(data.get("trigger.kind", ""))
    return {"kind": kind.kind, **_values(kind.inputs, data, "trigger")} if kind else {}


def _groups_of(data):
    found: dict[int, list[Any]] = {}
    for group, place in _numbers(data, r"if\.(\d{1,3})\.(\d{1,3})\.what"):
        name = f"if.{group}.{place}"
        one = {part: data.get(f"{name}.{part}", "").strip() for part in ("what", "is", "value")}
        operator = conditions.OPERATORS.get(one["is"])
        if operator and not operator.takes_value:
            del one["value"]
        found.setdefault(group, []).append(one)
    return [found[group] for group in sorted(found)]


def _action_of(data, name):
    action: Spec = {"do": data.get(f"{name}.key", "")}
    if known := actions.of(action):
        first = {"key": data.get(f"{name}.v.key", "")}  # the boxes of an operation depend on which it is
        action["values"] = _values(known.inputs_with(first, Business()), data, f"{name}.v")
    return action


def _numbers(data, pattern):
    """The numbers in the names of what was posted, each once and in order."""
    found = {match.groups() for name in data if (match := re.fullmatch(pattern, name))}
    numbers = sorted(tuple(int(number) for number in groups) for groups in found)
    return [one[0] if len(one) == 1 else one for one in numbers]


def _values(inputs, data, prefix):
    values = {each.name: _value(each, data, f"{prefix}.{each.name}") for each in inputs}
    return {name: value for name, value in values.items() if value not in ("", [])}


def _value(box, data, name):
    if box.kind == "choices":
        return [one for one in data.getlist(name) if one]
    if box.kind == "tags":
        return [tag for each in data.getlist(name) for part in each.split(",") if (tag := part.strip())]
    if box.kind == "pairs":
        pairs = zip(data.getlist(f"{name}.field"), data.getlist(f"{name}.value"), strict=False)
        return [{"field": one.strip(), "value": value.strip()} for one, value in pairs if one.strip() or value.strip()]
    if box.kind == "list" and (pasted := data.get(f"{name}.address", "").strip()):
        return pasted.rpartition("?")[2]
    if box.kind == "offered" and (typed := data.get(f"{name}.id", "").strip()):
        return typed
    return data.get(name, "").strip()


# --- a button of the form itself --------------------------------------------------------------------------------------


def act_on(spec: Spec, act: str) -> str:
    """Change the spec as a button says; what it says wrongly changes nothing. The box to go on with, by name."""
    verb, _space, rest = act.partition(" ")
    return _ACTS[verb](spec, rest) if verb in _ACTS else ""


def _begin(spec, rest):
    trigger = _json(rest)
    if kind := triggers.of(trigger):
        spec["trigger"] = {**_defaults(kind.inputs), **trigger}
    return "trigger"


def _add_condition(spec, rest):
    groups = spec["conditions"]["any"]
    if not rest.isdecimal() or int(rest) >= len(groups):
        groups.append({"all": []})
        rest = str(len(groups) - 1)
    group = groups[int(rest)]["all"]
    group.append(dict(NEW_CONDITION))
    return f"if.{int(rest)}.{len(group) - 1}.what"


def _add_action(spec, rest):
    action = _json(rest)
    known = actions.of(action)
    if known is None or len(spec["actions"]) >= MOST_ACTIONS:
        return ""
    values = action.get("values") if isinstance(action.get("values"), dict) else {}
    action["values"] = {**_defaults(known.inputs_with(values, Business())), **values}
    spec["actions"].append(action)
    return f"do.{len(spec['actions']) - 1}"


def _drop(spec, rest):
    what, _space, place = rest.partition(" ")
    numbers = [int(one) for one in place.split(".") if one.isdecimal()]
    groups = spec["conditions"]["any"]
    if what == "do" and len(numbers) == 1 and numbers[0] < len(spec["actions"]):
        del spec["actions"][numbers[0]]
    elif (
        what == "if" and len(numbers) == 2 and numbers[0] < len(groups) and numbers[1] < len(groups[numbers[0]]["all"])
    ):
        del groups[numbers[0]]["all"][numbers[1]]
        spec["conditions"]["any"] = [group for group in groups if group["all"]]
    return "add-do" if what == "do" else "add-if"


def _earlier(spec, rest):
    listed = spec["actions"]
    at = int(rest) if rest.isdecimal() else 0
    if 0 < at < len(listed):
        listed[at - 1], listed[at] = listed[at], listed[at - 1]
    return f"do.{max(at - 1, 0)}"


def _later(spec, rest):
    at = int(rest) if rest.isdecimal() else len(spec["actions"])
    if at + 1 < len(spec["actions"]):
        _earlier(spec, str(at + 1))
    return f"do.{min(at + 1, len(spec['actions']) - 1)}"


_ACTS = {
    "trigger": _begin, "if": _add_condition, "do": _add_action, "drop": _drop, "up": _earlier, "down": _later,
}  # fmt: skip


def _defaults(inputs):
    return {each.name: str(each.default) for each in inputs if each.default}


def _json(text):
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def offered_box(business: Business, kind: str, name: str, data: QueryDict) -> "Box | None":
    """One box of a list that GHL keeps, with what stands in it. None where there is no such list or box."""
    if kind not in LISTS or not re.fullmatch(r"do\.\d{1,3}\.v\.[a-z_]{1,30}", name):
        return None
    each = Input(name.rpartition(".")[2], "", "offered", offered=kind, choices=partial(names, kind))
    form = RuleForm(business, {})
    return form._box(each, name, {each.name: _value(each, data, name)}, "")


# --- what the page draws ----------------------------------------------------------------------------------------------


@dataclass
class Box:
    """One input with what stands in it."""

    input: Input
    name: str
    value: Any
    problem: str = ""
    choices: list[tuple[str, Any, bool]] = field(default_factory=list)  # (value, words, whether it is chosen)
    has_focus: bool = False
    offered: Offered | None = None

    @property
    def id(self):
        return self.name.replace(".", "-")

    @property
    def text(self):
        return ", ".join(map(str, self.value)) if isinstance(self.value, list) else self.value

    @property
    def typed_id(self):
        """An id that is on no list."""
        return "" if any(chosen for *_one, chosen in self.choices) else self.value

    @property
    def pairs(self):
        """Those that are said, and one more to say."""
        said = self.value if isinstance(self.value, list) else []
        return [*said, {"field": "", "value": ""}]


@dataclass
class ConditionRow:
    name: str
    place: str
    what: str
    is_: str
    value: str
    problem: str
    has_focus: bool

    @property
    def takes_value(self):
        operator = conditions.OPERATORS.get(self.is_)
        return operator is None or operator.takes_value


@dataclass
class ActionRow:
    at: int
    action: Spec
    title: str
    boxes: list[Box]
    more: list[Box]  # that may be left out, and are
    problem: str = ""
    has_focus: bool = False

    @property
    def name(self):
        return f"do.{self.at}"

    @property
    def operation(self):
        return self.action.get("values", {}).get("key", "") if self.action.get("do") == "operation" else ""


class RuleForm:
    """The boxes of a rule of this business. `problems` are shown beside what they are about."""

    def __init__(
        self, business: Business, spec: Spec, problems: Iterable[Problem] = (), lists: Any = (), focus: str = ""
    ):
        self.business, self.spec, self.lists, self.focus = business, spec, lists, focus
        self.problems = list(problems)
        self._said = {one.where: one.sentence for one in reversed(self.problems)}
        self._choices: dict[Any, list[tuple[str, Any]]] = {}

    @cached_property
    def trigger(self):
        return triggers.of(self.spec.get("trigger") or {})

    @cached_property
    def trigger_title(self):
        """(group, title) as the picker has it."""
        said = self.spec.get("trigger") or {}
        if self.trigger is None:
            return "", ""
        for choice in self.trigger.choices(self.business):
            if choice.trigger.items() <= said.items():
                return choice.group, choice.title
        return "", str(self.trigger.label)

    @property
    def hidden(self):
        """(name, value) of what no box asks for."""
        said = self.spec.get("trigger") or {}
        names = ["kind", PICKED.get(said.get("kind", ""), "")]
        return [(f"trigger.{name}", said[name]) for name in names if name in said]

    @property
    def trigger_boxes(self):
        said = self.spec.get("trigger") or {}
        inputs = self.trigger.inputs if self.trigger else ()
        asked = [each for each in inputs if each.name != PICKED.get(said.get("kind", ""))]
        return [self._box(each, f"trigger.{each.name}", said, f"trigger.{each.name}") for each in asked]

    @property
    def trigger_problem(self):
        return self._said.get("trigger", "")

    @property
    def actions_problem(self):
        return self._said.get("actions", "")

    @property
    def operators(self):
        return conditions.OPERATORS.values()

    @property
    def groups(self):
        listed = [group["all"] for group in (self.spec.get("conditions") or {}).get("any", [])]
        return [[self._condition(at, place, one) for place, one in enumerate(group)] for at, group in enumerate(listed)]

    def _condition(self, at, place, one):
        return ConditionRow(
            f"if.{at}.{place}", f"{at}.{place}", one.get("what", ""), one.get("is", ""), str(one.get("value", "")),
            self._said.get(f"conditions.{at + 1}.{place + 1}", ""), self.focus == f"if.{at}.{place}.what",
        )  # fmt: skip

    @cached_property
    def actions(self):
        return [self._action(at, one) for at, one in enumerate(self.spec.get("actions") or [])]

    def _action(self, at, action):
        known, values = actions.of(action), action.get("values") or {}
        where = f"actions.{at + 1}"
        if known is None:
            return ActionRow(at, action, "…", [], [], self._said.get(where, ""))
        operation = entries.operation(values.get("key", "")) if known.key == "operation" else None
        inputs = [one for one in known.inputs_with(values, self.business) if not (operation and one.name == "key")]
        boxes = [self._box(each, f"do.{at}.v.{each.name}", values, f"{where}.{each.name}") for each in inputs]
        spare = [one for one in boxes if operation and not (one.input.required or one.value or one.problem)]
        shown = [one for one in boxes if one not in spare]
        title = operation.title if operation else str(known.label)
        has_focus = self.focus == f"do.{at}"
        if has_focus and shown:
            shown[0].has_focus = True
        return ActionRow(at, action, title, shown, spare, self._said.get(where, ""), has_focus)

    def _box(self, each: Input, name: str, values: Mapping[str, Any], where: str) -> Box:
        value = values.get(each.name, "")
        problem = self._said.get(where, "") or next(
            (sentence for told, sentence in self._said.items() if told.startswith(f"{where}.")), ""
        )
        box = Box(each, name, value, problem, self._choices_of(each, value))
        if each.offered:
            box.offered = offered(each.offered, self.business)
        return box

    @property
    def asks_ghl(self):
        """Whether anything is chosen from a list that GHL keeps."""
        return any(box.offered for row in self.actions for box in (*row.boxes, *row.more))

    def _choices_of(self, each, value):
        if each.kind == "list":
            known = list(self.lists)
        elif each.choices is None:
            return []
        else:
            if each.choices not in self._choices:
                self._choices[each.choices] = list(each.choices(self.business))
            known = self._choices[each.choices]
        chosen = value if isinstance(value, list) else [value]
        listed = [(one, words, one in chosen) for one, words in known]
        # What is no choice any more, or holds a merge field, still stands there until somebody chooses another.
        strange = [one for one in chosen if isinstance(one, str) and one and one not in dict(known)]
        return [*listed, *((one, one, True) for one in strange if each.kind in ("choice", "list", "choices"))]
