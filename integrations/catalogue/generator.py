"""Makes the catalogue from OpenAPI files and a list of webhooks. Facts only: names, types, what is required.

Nothing else of ours reads those files. The answer is written to be compared: a line for each entry, sorted.
"""

import json
import re
from pathlib import Path

from integrations.catalogue.titles import slug, title_of
from integrations.catalogue.webhook_shapes import triggers_of

HERE = Path(__file__).parent
METHODS = ("get", "post", "put", "patch", "delete")
JSON_TYPE = "application/json"
# Security schemes of GHL's files. An agency's are left out: no connection of ours is one.
ACCESS = {"bearer": "location", "Location-Access": "location", "Location-Access-Only": "app"}
FACTS = ("type", "format", "enum", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
LOCATION = ("locationId", "location_id")
TOO_DEEP = 7
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
# Bodies that the files leave empty, as GHL really takes them.
UNTOLD = {
    "contacts.search-contacts-advanced": {
        "type": "object",
        "properties": {
            "locationId": {"type": "string"}, "query": {"type": "string"}, "page": {"type": "integer", "minimum": 1},
            "pageLimit": {"type": "integer", "minimum": 1, "maximum": 500},
            "searchAfter": {"type": "array", "items": {}}, "filters": {"type": "array", "items": {"type": "object"}},
            "sort": {"type": "array", "items": {"type": "object"}},
        },
        "required": ["locationId", "pageLimit"],
    }
}  # fmt: skip
READING = ("search", "filter", "validate", "check")


def generate(folder, into=HERE):
    """How many (operations, triggers). `folder` holds apps/*.json and apps/v3/*.json; webhook_events.json is in it or
    beside it."""
    folder = Path(folder)
    operations = operations_of(folder)
    triggers = triggers_of(json.loads(_beside(folder, "webhook_events.json").read_text()))
    (into / "operations.jsonl").write_text("".join(f"{_line(each)}\n" for each in operations))
    (into / "triggers.json").write_text("[\n" + ",\n".join(_line(each) for each in triggers) + "\n]\n")
    return len(operations), len(triggers)


def operations_of(folder):
    """Every operation a location's token may call with JSON; of v3 only what v2 has not."""
    found, paths = {}, set()
    for version in ("", "v3"):
        for file in sorted((Path(folder) / "apps" / version).glob("*.json")):
            for entry in _of_file(file):
                shape = (entry["method"], _shape(entry["path"]))
                if entry["key"] not in found and shape not in paths:
                    found[entry["key"]] = entry
                    paths.add(shape)
    return [found[key] for key in sorted(found)]


def _of_file(file):
    group = re.sub(r"-v3$", "", file.stem)
    files = Files(file)
    for path, methods in files.root["paths"].items():
        for method in METHODS:
            if method in methods and (entry := _entry(files, group, method, path, methods)):
                yield entry


def _entry(files, group, method, path, methods):
    said = methods[method]
    access, scopes = _access(said.get("security"))
    body = said.get("requestBody")
    if group == "oauth" or access is None or (body and JSON_TYPE not in body.get("content", {})):
        return None
    listed = [files.follow(each)[0] for each in [*methods.get("parameters", []), *said.get("parameters", [])]]
    key = f"{group}.{slug(said['operationId'])}"
    entry = {
        "key": key, "title": title_of(key, path), "group": group, "method": method.upper(), "path": path,
        "kind": _kind(method, key), "access": access, "scopes": scopes, "version": _version(listed),
        "parameters": _parameters(files, path, listed),
    }  # fmt: skip
    if body:
        entry["body"] = UNTOLD.get(key) or files.facts(body["content"][JSON_TYPE].get("schema", {}))
        entry["body_required"] = bool(body.get("required")) or bool(entry["body"].get("required"))
    entry["location"] = _location(entry)
    if said.get("deprecated"):
        entry["deprecated"] = True
    return entry


def _access(security):
    """The kind of token, and its scopes. GHL's files leave some out: those take any token of the location."""
    if not security:
        return "location", []
    for each in security:
        for scheme, scopes in each.items():
            if scheme in ACCESS:
                return ACCESS[scheme], list(scopes)
    return None, []


def _kind(method, key):
    name = key.split(".", 1)[1]
    if method == "post" and any(word in name.split("-") for word in READING):
        return "read"
    return {"get": "read", "post": "create", "put": "update", "patch": "update", "delete": "delete"}[method]


def _version(listed):
    named = next((each for each in listed if each.get("name") == "Version"), None)
    return (named["schema"].get("enum") or [""])[0] if named else ""


def _parameters(files, path, listed):
    known = []
    for each in listed:
        if each.get("in") in ("path", "query"):
            schema = files.facts(each.get("schema", {}))
            required = bool(each.get("required")) or each["in"] == "path"
            known.append({"name": each["name"], "in": each["in"], "required": required, "schema": schema})
    named = {each["name"] for each in known if each["in"] == "path"}
    for name in re.findall(r"{([^}]+)}", path):  # some files forget to declare them
        if name not in named:
            known.append({"name": name, "in": "path", "required": True, "schema": {"type": "string"}})
    return known


def _location(entry):
    """[where, name] of each place the location's id belongs to."""
    places = [[each["in"], each["name"]] for each in entry["parameters"] if each["name"] in LOCATION]
    properties = entry.get("body", {}).get("properties", {})
    return places + [["body", name] for name in LOCATION if name in properties]


class Files:
    """One OpenAPI file and those it refers to."""

    def __init__(self, file):
        self.file, self.loaded = file, {}
        self.root = self._load(file)

    def follow(self, node, file=None):
        """(what a $ref leads to, in which file)."""
        file = file or self.file
        while "$ref" in node:
            name, _, pointer = node["$ref"].partition("#")
            file = (file.parent / name).resolve() if name else file
            found = self._load(file)
            for part in pointer.strip("/").split("/"):
                found = found[part.replace("~1", "/").replace("~0", "~")]
            node = found
        return node, file

    def facts(self, schema, file=None, seen=()):
        """The schema with its references laid in, and nothing but what a value must be like."""
        name = schema.get("$ref", "")
        schema, file = self.follow(schema, file)
        if len(seen) > TOO_DEEP or (name and name in seen):
            return {}
        seen = (*seen, name)
        kept = {key: schema[key] for key in FACTS if key in schema}
        for part in schema.get("allOf", []):
            kept = _joined(kept, self.facts(part, file, seen))
        for key in ("oneOf", "anyOf"):
            if schema.get(key):
                kept[key] = [self.facts(part, file, seen) for part in schema[key]]
        if "items" in schema:
            kept["items"] = self.facts(schema["items"], file, seen)
        if schema.get("properties"):
            properties = {key: self.facts(part, file, seen) for key, part in schema["properties"].items()}
            kept["properties"] = {**kept.get("properties", {}), **properties}
        required = schema.get("required")
        if isinstance(required, list) and required:
            kept["required"] = sorted({*kept.get("required", []), *required})
        return _mended(kept, schema)

    def _load(self, file):
        file = file.resolve()
        if file not in self.loaded:
            self.loaded[file] = json.loads(file.read_text())
        return self.loaded[file]


def _joined(one, other):
    joined = {**one, **other}
    if "properties" in one and "properties" in other:
        joined["properties"] = {**one["properties"], **other["properties"]}
    if "required" in one and "required" in other:
        joined["required"] = sorted({*one["required"], *other["required"]})
    return joined


def _mended(kept, schema):
    """What GHL's files get wrong in the same way again and again."""
    example = schema.get("example")
    if kept.get("type") == "object" and isinstance(example, str) and "properties" not in kept:
        kept["type"] = "string"  # dates, for one
        kept["told"] = "object"  # what the file says, for a server that judges by it
    if kept.get("type") == "string" and "format" not in kept and isinstance(example, str) and MOMENT.match(example):
        kept["format"] = "date-time"
    if _compiles(schema.get("pattern")):
        kept["pattern"] = schema["pattern"]
    if kept.get("type") == "array" and "items" not in kept:
        kept["items"] = {}
    if "type" not in kept and "properties" in kept:
        kept["type"] = "object"
    if kept.get("type") not in (None, "string", "number", "integer", "boolean", "array", "object", "null"):
        del kept["type"]
    if isinstance(kept.get("enum"), list):
        kept["enum"] = _enum(kept)
        if not kept["enum"]:
            del kept["enum"]
    if "required" in kept and "properties" in kept:
        kept["required"] = [name for name in kept["required"] if name in kept["properties"]]
    if schema.get("nullable") and isinstance(kept.get("type"), str):
        kept["type"] = [kept["type"], "null"]
        if "enum" in kept and None not in kept["enum"]:
            kept["enum"] = [*kept["enum"], None]
    return kept


def _enum(kept):
    """Of the type they are said to be, where that can be read from them: "10" of a number is 10."""
    if kept.get("type") in ("number", "integer"):
        return [float(each) if "." in str(each) else int(each) for each in kept["enum"] if _is_number(each)]
    if kept.get("type") == "boolean":
        return [each if isinstance(each, bool) else str(each).lower() == "true" for each in kept["enum"]]
    if kept.get("type") == "array":
        return []  # meant for what is in it
    return list(dict.fromkeys(kept["enum"]))


def _compiles(pattern):
    try:
        return isinstance(pattern, str) and bool(re.compile(pattern))
    except re.error:
        return False


def _is_number(value):
    return re.fullmatch(r"-?\d+(\.\d+)?", str(value)) is not None


def _shape(path):
    return re.sub(r"[-_]", "", re.sub(r"{[^}]+}", "{}", path).rstrip("/").lower())


def _beside(folder, name):
    for place in (folder, folder.parent):
        if (place / name).is_file():
            return place / name
    raise FileNotFoundError(f"There is no {name} in {folder} or beside it.")


def _line(entry):
    return json.dumps(entry, ensure_ascii=False, separators=(",", ":"))
