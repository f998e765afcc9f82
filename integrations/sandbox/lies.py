"""Lists that are not true: short, empty, of somebody else, the same page again, or with a wrong total."""

import math
from copy import copy

LIES = ("empty", "truncated", "foreign", "repeat", "wrong_total")
ROWS = ("contacts", "tasks", "notes", "events", "opportunities", "users", "businesses", "calendars", "tags",
        "customFields", "customValues", "locations", "items")  # fmt: skip


def rows_of(body):
    """The name of the list in an answer, if it is one."""
    if not isinstance(body, dict):
        return None
    return next((name for name in ROWS if isinstance(body.get(name), list)), None)


def is_read(call):
    return call.method == "GET" or call.path.rstrip("/").endswith("/search")


def is_list_request(call):
    return is_read(call) and not (call.operation and call.operation.path.endswith("}"))


class Pages:
    """The page each list was last answered with."""

    def __init__(self):
        self.last = {}

    def remember(self, call, answer):
        if answer.status < 300 and rows_of(answer.body) and is_list_request(call):
            self.last[self._key(call)] = answer.body

    def before(self, call):
        return self.last.get(self._key(call))

    @staticmethod
    def _key(call):
        return call.path, call.token.app if call.token else None, call.location.id if call.location else None


def look_elsewhere(call):
    """Before the answer: it will be made from another location, for whatever of its own the request names."""
    here = call.token.location_id if call.token else None
    others = [one for one in call.company.locations.values() if one.id != here]
    if not others:
        return
    call.elsewhere = there = others[0]
    home = call.company.locations.get(here)
    if home and any(home.contacts.get(part) for part in call.path.split("/")):
        call.swaps["contact_id"] = busiest(there)
    for name, kind in (("calendarId", "calendars"), ("userId", "users")):
        if call.query.get(name):
            table = getattr(there, kind)
            places = list(getattr(home, kind).rows) if home else []
            place = places.index(call.query[name]) if call.query[name] in places else 0
            call.query[name] = list(table.rows)[place % len(table.rows)] if len(table) else call.query[name]


def busiest(location):
    return max(location.contacts.rows, key=lambda one: len(location.notes.of(one)) + len(location.tasks.of(one)))


def told(action, answer, call, pages, dice):
    """The answer with the lie in it; answers that are no list stay as they are."""
    name = rows_of(answer.body)
    if name is None or answer.status >= 300 or not is_list_request(call):
        return answer
    lie, rows = action["lie"], answer.body[name]
    lying = copy(answer)
    if lie == "empty":
        lying.body = with_rows(answer.body, name, [])
    elif lie == "truncated":
        lying.body = with_rows(answer.body, name, rows[: math.ceil(len(rows) * action.get("share", 0.03))])
    elif lie == "repeat":
        lying.body = pages.before(call) or answer.body
    elif lie == "wrong_total":
        total = next((answer.body[one] for one in ("total", "count") if one in answer.body), len(rows))
        wrong = action.get("total")
        lying.body = with_total(answer.body, dice.randint(0, 2 * total + 1) if wrong is None else wrong)
    return lying


def with_rows(body, name, rows):
    return with_total({**body, name: rows}, len(rows))


def with_total(body, total):
    changed = body | {name: total for name in ("total", "count") if name in body}
    if isinstance(body.get("meta"), dict):
        changed["meta"] = body["meta"] | {"total": total}
    return changed
