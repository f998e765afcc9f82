"""Every operation we use, by name. Rows come back as GHL wrote them; payloads.py puts them into our words.

All operations raise the errors of errors.py. Ids are checked and quoted: none can reach another path. Reads
may be repeated by the transport, writes are not (see transport.py). Times passed in are aware datetimes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from .errors import BadAnswer, NotFound
from .transport import Transport

Row = dict[str, Any]
SEARCH_PAGE, LEGACY_PAGE = 500, 100  # the most GHL gives at once


@dataclass(frozen=True)
class Page:
    """`search_after` continues after this page; None when the page is empty. `total` is None when GHL tells
    none."""

    rows: list[Row]
    total: int | None
    search_after: list[Any] | None
    asked: int  # rows asked for

    @property
    def is_short(self) -> bool:
        """Fewer rows than asked for: usually the last page, but only an empty one is sure to be."""
        return len(self.rows) < self.asked


class GhlClient:
    def __init__(self, transport: Transport, location_id: str) -> None:
        self.transport, self.location_id = transport, location_id
        _segment(location_id)

    # Contacts

    def get_contact(self, contact_id: str) -> Row:
        return _row(self._get("/contacts/{}", contact_id), "contact")

    def create_contact(self, body: Row) -> Row:
        return _row(self._write("POST", "/contacts/", json={"locationId": self.location_id, **body}), "contact")

    def update_contact(self, contact_id: str, body: Row) -> Row:
        """The contact as GHL now has it; {} when the answer only says that it succeeded (v3)."""
        row = self._write("PUT", "/contacts/{}", contact_id, json=body).get("contact")
        return row if isinstance(row, dict) else {}

    def delete_contact(self, contact_id: str) -> None:
        self._write("DELETE", "/contacts/{}", contact_id)

    def upsert_contact(self, body: Row) -> tuple[Row, bool]:
        """(contact, was it created). Safe to send again: the second one finds the first."""
        answer = self._write("POST", "/contacts/upsert", json={"locationId": self.location_id, **body})
        return _row(answer, "contact"), bool(answer.get("new"))

    def set_company(self, contact_ids: Iterable[str], business_id: str | None) -> None:
        """Attach contacts to a business, or detach them with None. A contact's own PUT cannot."""
        body = {"locationId": self.location_id, "ids": list(contact_ids), "businessId": business_id}
        self._write("POST", "/contacts/bulk/business", json=body)

    def search_contacts(
        self,
        page_limit: int = SEARCH_PAGE,
        search_after: list[Any] | None = None,
        filters: list[Row] | None = None,
        sort: list[Row] | None = None,
        query: str | None = None,
    ) -> Page:
        """One page. The index lags by seconds behind writes; read by id for the truth about one contact."""
        body: Row = {"locationId": self.location_id, "pageLimit": page_limit}
        body |= {
            key: value
            for key, value in {
                "searchAfter": search_after,
                "filters": filters,
                "sort": sort,
                "query": query,
            }.items()
            if value
        }
        answer = self._search("/contacts/search", json=body)
        rows = _rows(answer, "contacts")
        return Page(rows, _total(answer), _cursor(rows), page_limit)

    def contact_pages(
        self, page_limit: int = SEARCH_PAGE, search_after: list[Any] | None = None, **search: Any
    ) -> Iterator[Page]:
        """Every page after `search_after`. Ends on an empty page, or on a short one once `total` rows are
        seen."""
        return _pages(lambda after: self.search_contacts(page_limit, after, **search), search_after)

    def list_contacts(
        self,
        limit: int = LEGACY_PAGE,
        start_after: int | str | None = None,
        start_after_id: str | None = None,
    ) -> Page:
        """The legacy list, at most 100 rows. Its cursor is [start_after, start_after_id] and needs both
        halves: with only one GHL repeats page one for ever. The next-page address GHL sends is never
        followed."""
        params: Row = {"locationId": self.location_id, "limit": limit}
        if (start_after is None) != (start_after_id is None):
            raise ValueError("start_after and start_after_id go together")
        if start_after is not None:
            params |= {"startAfter": start_after, "startAfterId": start_after_id}
        answer = self._get("/contacts/", params=params)
        rows, meta = _rows(answer, "contacts"), answer.get("meta")
        meta = meta if isinstance(meta, dict) else {}
        cursor = [meta.get("startAfter"), meta.get("startAfterId")]
        total = _total(meta)
        return Page(
            rows,
            _total(answer, "count") if total is None else total,
            cursor if rows and all(cursor) else None,
            limit,
        )

    def contacts_of_business(self, business_id: str, limit: int = 100, skip: int = 0) -> Page:
        params = {"locationId": self.location_id, "limit": str(limit), "skip": str(skip)}
        answer = self._get("/contacts/business/{}", business_id, params=params)
        return Page(_rows(answer, "contacts"), _total(answer, "count"), None, limit)

    def find_duplicate(self, email: str | None = None, number: str | None = None) -> Row | None:
        """The contact GHL would call a duplicate, or None."""
        params = {"locationId": self.location_id, "email": email, "number": number}
        try:
            row = self._get("/contacts/search/duplicate", params=params).get("contact")
        except NotFound:
            return None
        return row if isinstance(row, dict) and row else None

    def add_tags(self, contact_id: str, tags: Iterable[str]) -> list[str]:
        """All tags of the contact afterwards. Repeating it changes nothing."""
        return _tags(self._write("POST", "/contacts/{}/tags", contact_id, json={"tags": list(tags)}))

    def remove_tags(self, contact_id: str, tags: Iterable[str]) -> list[str]:
        return _tags(self._write("DELETE", "/contacts/{}/tags", contact_id, json={"tags": list(tags)}))

    def contact_appointments(self, contact_id: str) -> list[Row]:
        """Their times may come without an offset: then they are in the location's time zone."""
        return _rows(self._get("/contacts/{}/appointments", contact_id), "events")

    # Tasks

    def list_tasks(self, contact_id: str) -> list[Row]:
        return _rows(self._get("/contacts/{}/tasks", contact_id), "tasks")

    def get_task(self, contact_id: str, task_id: str) -> Row:
        return _row(self._get("/contacts/{}/tasks/{}", contact_id, task_id), "task")

    def create_task(self, contact_id: str, body: Row) -> Row:
        return _row(self._write("POST", "/contacts/{}/tasks", contact_id, json=body), "task")

    def update_task(self, contact_id: str, task_id: str, body: Row) -> Row:
        return _row(self._write("PUT", "/contacts/{}/tasks/{}", contact_id, task_id, json=body), "task")

    def complete_task(self, contact_id: str, task_id: str, completed: bool = True) -> Row:
        body = {"completed": completed}
        return _row(self._write("PUT", "/contacts/{}/tasks/{}/completed", contact_id, task_id, json=body), "task")

    def delete_task(self, contact_id: str, task_id: str) -> None:
        self._write("DELETE", "/contacts/{}/tasks/{}", contact_id, task_id)

    def search_tasks(self, limit: int = SEARCH_PAGE, search_after: list[Any] | None = None) -> Page:
        """Tasks of the whole location, open and done. GHL tells no total."""
        body: Row = {"limit": limit} | ({"searchAfter": search_after} if search_after else {})
        answer = self._search("/locations/{}/tasks/search", self.location_id, json=body)
        rows = _rows(answer, "tasks")
        return Page(rows, _total(answer), _cursor(rows), limit)

    def task_pages(self, limit: int = SEARCH_PAGE, search_after: list[Any] | None = None) -> Iterator[Page]:
        """Every page after `search_after`, up to the first short one."""
        return _pages(lambda after: self.search_tasks(limit, after), search_after)

    # Notes

    def list_notes(self, contact_id: str) -> list[Row]:
        return _rows(self._get("/contacts/{}/notes", contact_id), "notes")

    def get_note(self, contact_id: str, note_id: str) -> Row:
        return _row(self._get("/contacts/{}/notes/{}", contact_id, note_id), "note")

    def create_note(self, contact_id: str, body: Row) -> Row:
        return _row(self._write("POST", "/contacts/{}/notes", contact_id, json=body), "note")

    def update_note(self, contact_id: str, note_id: str, body: Row) -> Row:
        return _row(self._write("PUT", "/contacts/{}/notes/{}", contact_id, note_id, json=body), "note")

    def delete_note(self, contact_id: str, note_id: str) -> None:
        self._write("DELETE", "/contacts/{}/notes/{}", contact_id, note_id)

    # Calendars

    def calendars(self) -> list[Row]:
        params = {"locationId": self.location_id, "showDrafted": "true"}
        return _rows(self._get("/calendars/", params=params), "calendars")

    def calendar_events(self, calendar_id: str, start: datetime, end: datetime) -> list[Row]:
        """All events of a calendar between two aware moments; GHL does not page them."""
        params = {
            "locationId": self.location_id,
            "calendarId": calendar_id,
            "startTime": _milliseconds(start),
            "endTime": _milliseconds(end),
        }
        return _rows(self._get("/calendars/events", params=params), "events")

    def get_appointment(self, appointment_id: str) -> Row:
        """Deleted appointments stay readable, with `deleted: true`."""
        answer = self._get("/calendars/events/appointments/{}", appointment_id)
        return _appointment(answer)

    def create_appointment(self, body: Row) -> Row:
        """As GHL now has it, often without its times: read it again by id to compare them. Invalid when the
        calendar has no room then."""
        answer = self._write("POST", "/calendars/events/appointments", json={"locationId": self.location_id, **body})
        return _appointment(answer)

    def update_appointment(self, appointment_id: str, body: Row) -> Row:
        """As create_appointment. Its contact and location cannot be changed."""
        return _appointment(self._write("PUT", "/calendars/events/appointments/{}", appointment_id, json=body))

    def delete_event(self, event_id: str) -> None:
        """An appointment or a blocked slot. It stays readable by id, with `deleted: true`."""
        self._write("DELETE", "/calendars/events/{}", event_id, json={})

    # The location and what it keeps

    def location(self) -> Row:
        return _row(self._get("/locations/{}", self.location_id), "location")

    def users(self) -> list[Row]:
        return _rows(self._get("/users/", params={"locationId": self.location_id}), "users")

    def custom_fields(self, model: str = "contact") -> list[Row]:
        return _rows(self._get("/locations/{}/customFields", self.location_id, params={"model": model}), "customFields")

    def tags(self) -> list[Row]:
        return _rows(self._get("/locations/{}/tags", self.location_id), "tags")

    def businesses(self, limit: int = 100, skip: int = 0) -> list[Row]:
        params = {"locationId": self.location_id, "limit": str(limit), "skip": str(skip)}
        return _rows(self._get("/businesses/", params=params), "businesses")

    def _get(self, template: str, *ids: str, params: Row | None = None) -> Row:
        return self.transport.request("GET", _path(template, ids), params=params, template=template)

    def _search(self, template: str, *ids: str, json: Row) -> Row:
        return self.transport.request("POST", _path(template, ids), json=json, safe=True, template=template)

    def _write(self, method: str, template: str, *ids: str, json: Row | None = None) -> Row:
        return self.transport.request(method, _path(template, ids), json=json, safe=False, template=template)


def _pages(fetch: Callable[[list[Any] | None], Page], after: list[Any] | None) -> Iterator[Page]:
    seen, from_the_start = 0, after is None
    while True:
        page = fetch(after)
        if page.rows:
            yield page
        seen += len(page.rows)
        enough = page.total is None or (from_the_start and seen >= page.total)
        if not page.rows or (page.is_short and enough):
            return
        if page.search_after is None or page.search_after == after:
            raise BadAnswer("the list does not move on")  # better a failed run than one that looks complete
        after = page.search_after


def _path(template: str, ids: tuple[str, ...]) -> str:
    return template.format(*(_segment(each) for each in ids))


def _segment(value: str) -> str:
    if not isinstance(value, str) or not value.strip() or set(value) == {"."}:
        raise ValueError(f"not an id: {value!r}")
    return quote(value, safe="")


def _row(answer: Row, key: str) -> Row:
    row = answer.get(key)
    if isinstance(row, dict) and row:
        return row
    raise BadAnswer(f"the answer holds no {key}", trace_id=str(answer.get("traceId") or "") or None)


def _appointment(answer: Row) -> Row:
    """Reads answer under "appointment" or "event", writes with the bare record."""
    if answer.get("id"):
        return answer
    return _row(answer, "appointment" if "appointment" in answer else "event")


def _rows(answer: Row, key: str) -> list[Row]:
    """An absent list is not an empty one: taking it for empty would look as if everything had been
    deleted."""
    rows = answer.get(key)
    if isinstance(rows, list) and all(isinstance(row, dict) for row in rows):
        return rows
    raise BadAnswer(f"the answer holds no list of {key}", trace_id=str(answer.get("traceId") or "") or None)


def _tags(answer: Row) -> list[str]:
    tags = answer.get("tags")
    if isinstance(tags, list):
        return [str(tag) for tag in tags]
    raise BadAnswer("the answer holds no tags")


def _cursor(rows: list[Row]) -> list[Any] | None:
    after = rows[-1].get("searchAfter") if rows else None
    return after if isinstance(after, list) and after else None


def _total(answer: Row, key: str = "total") -> int | None:
    total = answer.get(key)
    if isinstance(total, dict):  # the search engine's own form
        total = total.get("value")
    try:
        return int(total) if total is not None else None
    except (TypeError, ValueError):
        return None


def _milliseconds(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return str(round(moment.timestamp() * 1000))
