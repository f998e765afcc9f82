"""A made-up request that fits an operation: what the check sends, and what the try-out form suggests."""

import re

from integrations.catalogue.values import types_of

MOMENT = "2030-05-06T07:08:09.000Z"
WORDS = "sample"
TRIED = (WORDS, "America/Chicago", MOMENT, MOMENT[:10], "10:00", "10:00:00", "1", "#3453c4", "https://example.com/",
         "+13125550100", "sam@example.com", "0" * 24, "A", "USD")  # fmt: skip


def values_for(operation, whole=False):
    """Values with everything required, or with `whole` also with what may be left out."""
    ours = {(where, name) for where, name in operation.location}
    params = {
        each.name: sample(each.schema, each.name, whole)
        for each in operation.parameters
        if (each.required or whole) and (each.where, each.name) not in ours
    }
    values = {"params": params}
    if operation.body is not None:
        body = sample(operation.body, "body", whole)
        if isinstance(body, dict):
            body = {name: value for name, value in body.items() if ("body", name) not in ours}
        values["body"] = body
    return values


def sample(schema, name="", whole=False):
    """A value that fits the schema."""
    for key in ("oneOf", "anyOf"):
        if schema.get(key) and not schema.get("properties"):
            return sample(schema[key][0], name, whole)
    if schema.get("enum"):
        return next(each for each in schema["enum"] if each is not None)
    kind = next((each for each in types_of(schema) if each != "null"), "object" if "properties" in schema else "string")
    if kind == "object":
        wanted = schema.get("required", [])
        parts = schema.get("properties", {}).items()
        return {key: sample(part, key, whole) for key, part in parts if whole or key in wanted}
    if kind == "array":
        return [sample(schema.get("items", {}), re.sub(r"s$", "", name), whole)] * max(1, schema.get("minItems", 1))
    if kind == "boolean":
        return False
    if kind in ("number", "integer"):
        least = schema.get("minimum", 1)
        return min(max(1, least), schema.get("maximum", max(1, least)))
    return _text(schema, name)


def _text(schema, name):
    form = schema.get("format", "")
    if form == "date":
        return MOMENT[:10]
    if form == "date-time" or re.search(r"(Date|Time)$|^date[A-Z]|^(start|end)Time", name):
        return MOMENT
    if "pattern" in schema:
        return next((each for each in TRIED if re.search(schema["pattern"], each)), WORDS)
    if form == "email" or name.lower().endswith("email"):
        return "sam@example.com"
    if form == "uri" or re.search(r"(url|website)$", name, re.I):
        return "https://example.com/"
    if "phone" in name.lower():
        return "+13125550100"
    text = WORDS if len(WORDS) >= schema.get("minLength", 0) else WORDS * schema["minLength"]
    return text[: schema.get("maxLength", 200)]
