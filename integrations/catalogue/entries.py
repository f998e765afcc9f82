"""The catalogue as the rest of the house reads it: every operation GHL offers to one location, and every trigger."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from integrations.catalogue.titles import label_of
from integrations.ghl import scopes as known_scopes
from integrations.models import Connection

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Parameter:
    name: str
    where: str  # path or query
    required: bool
    schema: dict[str, Any]

    @property
    def label(self):
        return label_of(self.name)


@dataclass(frozen=True)
class Operation:
    """One thing GHL can be asked to do. `location` says where the location's id goes: it is filled in by itself."""

    key: str
    title: str
    group: str
    method: str
    path: str
    kind: str  # create, read, update or delete
    access: str  # location: any token of it; app: not a Private Integration Token; agency
    scopes: tuple[str, ...]
    version: str
    parameters: tuple[Parameter, ...]
    body: dict[str, Any] | None
    body_required: bool
    location: tuple[tuple[str, str], ...]
    deprecated: bool = False

    is_trigger = False

    @property
    def scope(self):
        return self.scopes[0] if self.scopes else ""

    @property
    def is_harmless_twice(self):
        """Whether the same request once more leaves GHL as it was after the first."""
        return self.kind != "create"

    @property
    def words(self):
        return f"{self.title} {self.group} {self.key} {self.method} {self.path} {self.scope}".lower()


@dataclass(frozen=True)
class Trigger:
    """One thing GHL tells. `sample` is a payload of our own making that fits."""

    kind: str
    title: str
    group: str
    fields: dict[str, Any] = field(hash=False)
    sample: dict[str, Any] = field(hash=False)

    is_trigger = True

    @property
    def words(self):
        return f"{self.title} {self.group} {self.kind}".lower()


@cache
def operations():
    """{key: Operation}, sorted by group and title."""
    lines = (HERE / "operations.jsonl").read_text().splitlines()
    known = [_operation(json.loads(line)) for line in lines]
    return {each.key: each for each in sorted(known, key=lambda each: (each.group, each.title, each.key))}


@cache
def triggers():
    """{kind: Trigger}, sorted by group and title."""
    known = [Trigger(**each) for each in json.loads((HERE / "triggers.json").read_text())]
    return {each.kind: each for each in sorted(known, key=lambda each: (each.group, each.title))}


def operation(key):
    return operations().get(key)


def trigger(kind):
    return triggers().get(kind)


def scopes():
    return sorted({scope for each in operations().values() for scope in each.scopes})


def find(text="", only="", scope=""):
    """What has all these words in its title, address or scope. `only`: action or trigger; `scope`: "none" is one."""
    wanted = text.lower().split()
    found: list[Any] = [] if only == "trigger" else list(operations().values())
    if only != "action" and not scope:
        found += triggers().values()
    if scope:
        found = [each for each in found if scope in each.scopes or (scope == "none" and not each.scopes)]
    return [each for each in found if all(word in each.words for word in wanted)]


def why_not(operation, connection):
    """One sentence why this connection may not do it, or "" when it may. A Private Integration Token tells nobody its
    scopes, so what was never tried with it is left to GHL to refuse."""
    if connection is None:
        return _("No location is connected.")
    if connection.status not in Connection.USABLE:
        return _("GHL does not let us into %(location)s at the moment.") % {"location": connection.location}
    if operation.access == "agency":
        return _("Only an agency’s own access may do this.")
    if operation.access == "app" and connection.is_static:
        return _("A Private Integration Token may not do this; connect by OAuth.")
    missing = [scope for scope in operation.scopes if not connection.has_scope(scope)]
    if connection.is_static:
        missing = [scope for scope in missing if scope in known_scopes.WANTED]
    if missing:
        return _("GHL has not granted %(scope)s.") % {"scope": ", ".join(missing)}
    return ""


def _operation(said):
    parameters = tuple(
        Parameter(each["name"], each["in"], each["required"], each["schema"]) for each in said["parameters"]
    )
    return Operation(
        key=said["key"], title=said["title"], group=said["group"], method=said["method"], path=said["path"],
        kind=said["kind"], access=said["access"], scopes=tuple(said["scopes"]), version=said["version"],
        parameters=parameters, body=said.get("body"), body_required=said.get("body_required", False),
        location=tuple((where, name) for where, name in said["location"]), deprecated=said.get("deprecated", False),
    )  # fmt: skip
