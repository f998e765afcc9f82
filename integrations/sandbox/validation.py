"""Whitelist validation with the sentences of GHL's validator: 422, and `message` is an array."""

import re

from .answers import invalid
from .moments import birthday, parsed_ms

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


class Field:
    def __init__(self, kind, required=False, nullable=False, choices=None, max_length=None, item_max=None):
        self.kind, self.required, self.nullable = kind, required, nullable
        self.choices, self.max_length, self.item_max = choices, max_length, item_max

    def complaints(self, name, value):
        problems = list(KINDS[self.kind](name, value))
        if not problems and self.choices and value not in self.choices:
            problems.append(f"{name} must be one of the following values: {', '.join(map(str, self.choices))}")
        if not problems and self.max_length and len(value) > self.max_length:
            problems.append(f"{name} must be shorter than or equal to {self.max_length} characters")
        if not problems and self.item_max and any(len(item) > self.item_max for item in value):
            problems.append(f"each value in {name} must be shorter than or equal to {self.item_max} characters")
        return problems


def text(**options):
    return Field("text", **options)


def nullable_text(**options):
    return Field("text", nullable=True, **options)


def flag(**options):
    return Field("flag", **options)


def number(**options):
    return Field("number", **options)


def texts(**options):
    return Field("texts", **options)


def rows(**options):
    return Field("rows", **options)


def mapping(**options):
    return Field("mapping", **options)


def moment(**options):
    return Field("moment", **options)


def email(**options):
    return Field("email", **options)


def birth_date(**options):
    return Field("birth_date", **options)


def anything(**options):
    return Field("anything", **options)


def validated(body, fields):
    """The body, holding only known properties of the right type; or 422 with every complaint at once."""
    if not isinstance(body, dict):
        raise invalid(["body must be an object"])
    problems = [f"property {name} should not exist" for name in body if name not in fields]
    for name, field in fields.items():
        value = body.get(name)
        if value is None:
            if field.required and not (field.nullable and name in body):
                problems.append(f"{name} should not be empty")
                problems.extend(field.complaints(name, value) if field.kind != "anything" else [])
            elif name in body and not field.nullable:
                problems.extend(field.complaints(name, value) if field.kind != "anything" else [])
        else:
            if field.required and value == "":
                problems.append(f"{name} should not be empty")
            problems.extend(field.complaints(name, value))
    if problems:
        raise invalid(problems)
    return dict(body)


def query_number(query, name, default, least=None, most=None, required=False):
    """A number sent as text; `20.0` is a number too."""
    raw = query.get(name)
    if raw in (None, ""):
        if required:
            raise invalid([f"{name} should not be empty", f"{name} must be a number string"])
        return default
    try:
        value = float(raw)
    except ValueError:
        raise invalid([f"{name} must be a number string"]) from None
    return int(whole(name, value, least, most))


def whole(name, value, least=None, most=None):
    if value != value or value in (float("inf"), float("-inf")) or value != int(value):
        raise invalid([f"{name} must be an integer number"])
    if least is not None and value < least:
        raise invalid([f"{name} must not be less than {least}"])
    if most is not None and value > most:
        raise invalid([f"{name} must not be greater than {most}"])
    return int(value)


def query_text(query, name):
    value = query.get(name)
    if not value:
        raise invalid([f"{name} should not be empty", f"{name} must be a string"])
    return value


def _text(name, value):
    if not isinstance(value, str):
        yield f"{name} must be a string"


def _flag(name, value):
    if not isinstance(value, bool):
        yield f"{name} must be a boolean value"


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        yield f"{name} must be a number conforming to the specified constraints"


def _texts(name, value):
    if not isinstance(value, list):
        yield f"{name} must be an array"
    elif not all(isinstance(item, str) for item in value):
        yield f"each value in {name} must be a string"


def _rows(name, value):
    if not isinstance(value, list):
        yield f"{name} must be an array"
    elif not all(isinstance(item, dict) for item in value):
        yield f"each value in nested property {name} must be either object or array"


def _mapping(name, value):
    if not isinstance(value, dict):
        yield f"{name} must be an object"


def _moment(name, value):
    if not isinstance(value, str) or value.isdigit() or parsed_ms(value) is None:
        yield f"{name} must be a valid ISO 8601 date string"


def _email(name, value):
    if not isinstance(value, str) or (value and not EMAIL.fullmatch(value.strip())):
        yield f"{name} must be an email"


def _birth_date(name, value):
    if not isinstance(value, str) or (value and birthday(value) is None):
        yield f"{name} must be a valid date"


def _anything(name, value):
    return ()


KINDS = {
    "text": _text,
    "flag": _flag,
    "number": _number,
    "texts": _texts,
    "rows": _rows,
    "mapping": _mapping,
    "moment": _moment,
    "email": _email,
    "birth_date": _birth_date,
    "anything": _anything,
}
