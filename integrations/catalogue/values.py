"""From mapped values to a request that fits the operation; or sentences about what does not fit.

Values are {"params": {name: value}, "body": {name: value}}. Texts are taken for what the operation wants ("20" for a
number, "a, b" for a list), since templates and forms give only texts. The location is filled in by itself.
"""

import json
import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from jsonschema import Draft202012Validator, FormatChecker

from integrations.catalogue.titles import label_of

formats = FormatChecker(formats=())
LARGEST = 200_000  # characters of a body


@formats.checks("date-time", ValueError)
def _is_moment(value):
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@formats.checks("date", ValueError)
def _is_date(value):
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@formats.checks("email")
def _is_email(value):
    return not isinstance(value, str) or re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) is not None


@formats.checks("uri")
def _is_address(value):
    return not isinstance(value, str) or re.match(r"https?://\S+$", value) is not None


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    template: str
    params: dict[str, str]
    json: Any
    version: str


class BadValues(ValueError):
    """`problems` are (which value, sentence); the value is "params.limit" or "body.dueDate"."""

    def __init__(self, problems):
        self.problems = problems
        super().__init__(" ".join(sentence for _which, sentence in problems))


def build(operation, values, location_id):
    """The Request. Raises BadValues."""
    problems = []
    given = values.get("params") or {}
    params = _with_location(operation, ("path", "query"), given, location_id)
    read = {}
    for each in operation.parameters:
        value = fitted(each.schema, params.get(each.name))
        if _is_empty(value):
            if each.required:
                problems.append((f"params.{each.name}", _("%(name)s is missing.") % {"name": each.label}))
            continue
        problems += _problems(each.schema, value, f"params.{each.name}", each.label)
        read[each.name] = value
    body = _body(operation, values, location_id, problems)
    problems += _strangers(operation, given, values.get("body"))
    if problems:
        raise BadValues(problems)
    return Request(
        operation.method, _path(operation, read), operation.path, _query(operation, read), body, operation.version
    )


def fitted(schema, value):
    """The value as the type that is wanted, where it can be read as that; otherwise as it is."""
    if isinstance(value, str):
        return _from_text(schema, value)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        return {name: fitted(properties.get(name, {}), each) for name, each in value.items()}
    if isinstance(value, list):
        return [fitted(schema.get("items", {}), each) for each in value]
    return value


def types_of(schema):
    kind = schema.get("type")
    return kind if isinstance(kind, list) else [kind] if kind else []


def _from_text(schema, text):
    types, stripped = types_of(schema), text.strip()
    if "string" in types or not types:
        return text
    if not stripped:
        return None
    if "boolean" in types and stripped.lower() in ("true", "false", "yes", "no"):
        return stripped.lower() in ("true", "yes")
    if "integer" in types and re.fullmatch(r"[+-]?\d+", stripped):
        return int(stripped)
    if "number" in types and re.fullmatch(r"[+-]?\d+(\.\d+)?", stripped):
        number = float(stripped)
        return int(number) if number.is_integer() else number
    if "object" in types or ("array" in types and stripped.startswith("[")):
        try:
            return fitted(schema, json.loads(stripped)) if stripped[0] in "[{" else text
        except (ValueError, RecursionError):
            return text
    if "array" in types:
        return [fitted(schema.get("items", {}), part.strip()) for part in re.split(r"[,\n]", text) if part.strip()]
    return text


def _body(operation, values, location_id, problems):
    if operation.body is None:
        return None
    given = values.get("body") or {}
    if "array" in types_of(operation.body):
        body = fitted(operation.body, given or [])
    elif not isinstance(given, dict):
        problems.append(("body", _("The body must be an object.")))
        return None
    else:
        required = operation.body.get("required", [])
        body = fitted(operation.body, _with_location(operation, ("body",), given, location_id))
        body = {
            name: value for name, value in body.items() if value is not None and not (value == "" and name in required)
        }
    try:
        too_long = len(json.dumps(body)) > LARGEST
    except (TypeError, ValueError):
        problems.append(("body", _("The body holds something that cannot be sent.")))
        return None
    if too_long:
        problems.append(("body", _("This is too much for one request.")))
    problems += _problems(operation.body, body, "body", "")
    return body


def _with_location(operation, places, given, location_id):
    """The given values and the location's own id, which nobody may replace by another's."""
    return {**given, **{name: location_id for where, name in operation.location if where in places}}


def _strangers(operation, params, body):
    """What was given and has no place there: most often a slip of the pen."""
    known = {each.name for each in operation.parameters}
    for name in params:
        if name not in known:
            yield f"params.{name}", _("%(name)s is not known to this operation.") % {"name": label_of(name)}
    properties = (operation.body or {}).get("properties")
    if body and operation.body is None:
        yield "body", _("This operation takes no body.")
    elif isinstance(body, dict) and properties and not any(key in operation.body for key in ("oneOf", "anyOf")):
        for name in body:
            if name not in properties:
                yield f"body.{name}", _("%(name)s is not known to this operation.") % {"name": label_of(name)}


def _path(operation, read):
    return re.sub(r"{([^}]+)}", lambda found: quote(str(read[found[1]]), safe=""), operation.path)


def _query(operation, read):
    asked = {}
    for each in operation.parameters:
        if each.where == "query" and each.name in read:
            value = read[each.name]
            asked[each.name] = json.dumps(value) if isinstance(value, dict) else value
            if isinstance(value, bool):
                asked[each.name] = str(value).lower()
    return asked


def _problems(schema, value, where, label):
    """(which value, sentence) of everything in it that does not fit."""
    found = []
    if where.startswith("params.") and isinstance(value, str) and set(value.strip()) <= {"."}:
        return [(where, _("%(name)s is not an id.") % {"name": label})]  # a path of dots would lead elsewhere
    for error in Draft202012Validator(schema, format_checker=formats).iter_errors(value):
        way = [str(step) for step in error.absolute_path]
        names = [step for step in way if not step.isdecimal()]
        name = label_of(names[-1]) if names else label
        if error.validator == "required":
            lacking = error.message.split("'")[1]
            way, name = [*way, lacking], label_of(lacking)
        found.append((".".join([where, *way]), _sentence(error, name or _("The body"))))
    return found


def _sentence(error, name):
    about = {"name": name, "value": _short(error.instance), "wanted": error.validator_value}
    if error.validator == "required":
        return _("%(name)s is missing.") % about
    if error.validator == "enum":
        about["wanted"] = ", ".join(str(each) for each in error.validator_value if each is not None)
        return _("%(name)s: %(value)s is none of %(wanted)s.") % about
    if error.validator == "format":
        about["wanted"] = {"date-time": _("date"), "date": _("date"), "email": _("e-mail address")}.get(
            error.validator_value, _("web address")
        )
        return _("%(name)s: %(value)s is no %(wanted)s.") % about
    if error.validator == "type":
        return _("%(name)s: %(value)s should be %(wanted)s.") % {**about, "wanted": kind_of(error.schema)}
    limits = {
        "minimum": _("%(name)s: %(value)s is less than %(wanted)s."),
        "maximum": _("%(name)s: %(value)s is more than %(wanted)s."),
        "minLength": _("%(name)s is shorter than %(wanted)s characters."),
        "maxLength": _("%(name)s is longer than %(wanted)s characters."),
        "minItems": _("%(name)s needs at least %(wanted)s entries."),
        "maxItems": _("%(name)s takes at most %(wanted)s entries."),
    }
    return limits.get(str(error.validator), _("%(name)s: %(value)s does not fit.")) % about


def kind_of(schema):
    """What a value should be, in words."""
    names = {
        "string": _("a text"), "number": _("a number"), "integer": _("a whole number"), "boolean": _("yes or no"),
        "array": _("a list"), "object": _("an object in JSON"),
    }  # fmt: skip
    if schema.get("format") in ("date", "date-time"):
        return _("a date")
    return _(" or ").join(names[each] for each in types_of(schema) if each in names) or _("anything")


def _short(value):
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _is_empty(value):
    return value is None or value in ("", [], {})
