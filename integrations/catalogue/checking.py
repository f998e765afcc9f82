"""Is every entry what it says it is? Troubles are sentences; none is the only good answer."""

import re

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from integrations.catalogue import entries, samples, triggers
from integrations.catalogue.values import BadValues, build

SCOPE = re.compile(r"[a-zA-Z-]+(/[a-zA-Z]+)?\.(readonly|write)")
OUR_LOCATION = "locCheck000000000000"
TELLS_NO_LOCATION = {"RelationDelete"}  # one page shows nothing that can be read


def troubles_of_operations():
    for operation in entries.operations().values():
        for trouble in _troubles(operation):
            yield f"{operation.key}: {trouble}"


def _troubles(operation):
    named = set(re.findall(r"{([^}]+)}", operation.path))
    declared = {each.name for each in operation.parameters if each.where == "path"}
    if named != declared:
        yield f"its path names {sorted(named)} and it declares {sorted(declared)}"
    wrong = list(_wrong_schemas(operation))
    yield from wrong
    for scope in operation.scopes:
        if not SCOPE.fullmatch(scope):
            yield f"{scope} is no scope"
    for whole in () if wrong else (False, True):
        try:
            request = build(operation, samples.values_for(operation, whole), OUR_LOCATION)
        except BadValues as bad:
            yield f"no {'whole' if whole else 'short'} request can be made of it: {bad}"
            continue
        if "{" in request.path:
            yield f"its path keeps a gap: {request.path}"
        if not operation.title or not operation.kind:
            yield "it has no name"


def _wrong_schemas(operation):
    for name, schema in [*((each.name, each.schema) for each in operation.parameters), ("body", operation.body or {})]:
        try:
            Draft202012Validator.check_schema(schema)
        except SchemaError as error:
            yield f"{name} has no valid schema: {error.message}"


def troubles_of_triggers():
    """Each payload through the reader that everything else uses."""
    for trigger in entries.triggers().values():
        try:
            event = triggers.read(trigger.sample)
        except ValueError as error:
            yield f"{trigger.kind}: {error}"
            continue
        if event.kind != trigger.kind:
            yield f"{trigger.kind}: read as {event.kind}"
        told = dict(triggers.flat(trigger.fields))
        if lacking := sorted(told.keys() - event.fields.keys()):
            yield f"{trigger.kind}: reading loses {lacking}"
        if not told and trigger.kind not in TELLS_NO_LOCATION:
            yield f"{trigger.kind}: it tells nothing"
        if "locationId" in trigger.fields and not event.location_id:
            yield f"{trigger.kind}: its location is not found"
        subject = trigger.fields.get("appointment", trigger.fields)
        if "contactId" in subject and not event.contact_id:
            yield f"{trigger.kind}: its contact is not found"
