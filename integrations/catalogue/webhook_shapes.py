"""From a list of webhooks {name: {fields, type values seen}} to triggers with a payload of our own making."""

import re

from integrations.catalogue.titles import slug

PLAIN = {"string", "number", "integer", "boolean"}
HAPPENS = {
    "Create": "is added", "Update": "changes", "Delete": "is deleted", "Paid": "is paid", "Sent": "is sent",
    "Void": "is voided", "Complete": "is completed", "Message": "arrives",
}  # fmt: skip
OWN = {
    "AppInstall": "The app is installed",
    "AppUninstall": "The app is removed",
    "PlanChange": "The plan of the app changes",
    "LCEmailStats": "An e-mail is delivered, opened or clicked",
    "InvoicePartiallyPaid": "An invoice is paid in part",
    "ContactDndUpdate": "Do not disturb of a contact changes",
    "ContactTagUpdate": "The tags of a contact change",
    "ConversationUnreadWebhook": "The unread messages of a conversation change",
    "OutboundMessage": "A message is sent",
    "ProviderOutboundMessage": "A message is given to a provider",
    "InboundMessage": "A message arrives",
}


def triggers_of(webhooks):
    """A list of {kind, title, group, fields, sample}, sorted by kind."""
    triggers = []
    for name, said in sorted(webhooks.items()):
        kind = _kind(name, said.get("type_values_seen_in_examples") or [], webhooks)
        listed = said.get("fields")
        fields = _fields(listed) if isinstance(listed, dict) else {}  # one page shows what nobody can read
        triggers.append(
            {"kind": kind, "title": _title(name), "group": _group(name), "fields": fields,
             "sample": {**_sample(fields, name), "type": kind}}
        )  # fmt: skip
    return triggers


def _kind(name, seen, webhooks):
    """The word in `type`. The examples of some pages were copied from another page: a kind of its own wins."""
    return seen[0] if seen and seen[0] not in webhooks else name


def _fields(node):
    """{name: type, {…} or [what is in it]} with types of JSON alone; "any" where none is told."""
    if isinstance(node, dict):
        return {name: _fields(each) for name, each in node.items()}
    if isinstance(node, list):
        parts = [_fields(each) for each in node]
        return parts[:1] if parts and isinstance(parts[0], dict | list) else [parts[0] if len(parts) == 1 else "any"]
    if node == "Date":
        return "string"
    return node if node in PLAIN else "object" if node == "object" else "any"


def _sample(fields, name):
    return {key: _value(key, each, name) for key, each in fields.items()}


def _value(key, kind, name):
    if isinstance(kind, dict):
        return _sample(kind, name)
    if isinstance(kind, list):
        inside = kind[0] if kind else "any"
        return [_value(re.sub(r"s$", "", key), "string" if inside == "any" else inside, name)]
    if kind in ("number", "integer"):
        return 1
    if kind == "boolean":
        return False
    if kind == "object":
        return {}
    return _text(key, name)


def _text(key, name):
    if re.search(r"(^id|Id|_id|^_id)$", key):
        # The location is its own record where it is what changed.
        word = "location" if name.startswith("Location") and key == "id" else re.sub(r"_?id$", "", key, flags=re.I)
        return f"{(word or slug(name).split('-')[0]).lower()[:9]:0<20}"
    if re.search(r"(date|time|At$|timestamp)", key, re.I):
        return "2030-05-06T07:08:09.000Z"
    if "mail" in key.lower():
        return "sam@example.com"
    if "phone" in key.lower():
        return "+13125550100"
    return key


def _title(name):
    if name in OWN:
        return OWN[name]
    *about, verb = re.findall(r"[A-Z][a-z]+", name)
    thing = " ".join(about).lower()
    return f"{'An' if thing[0] in 'aeio' else 'A'} {thing} {HAPPENS.get(verb, verb.lower())}"


def _group(name):
    word = re.findall(r"^(?:[A-Z]+(?=[A-Z][a-z])|[A-Z][a-z]+)", name)[0].lower()
    return {"in": "conversation", "inbound": "conversation", "outbound": "conversation", "provider": "conversation",
            "lc": "conversation", "plan": "app", "relation": "association"}.get(word, word)  # fmt: skip
