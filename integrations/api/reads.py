"""What an ERP may read: its business's rows in the order they moved, from where it last stopped."""

from datetime import datetime
from typing import Annotated, Any

from ninja import Path, Query, Status
from pydantic import Field

from contacts.models import Appointment, Contact, HistoryEvent, Location, Note, Task
from contacts.paging import Order, page_over
from integrations.api import answers
from integrations.api.doors import door, router
from integrations.api.dressing import (
    dressed_appointments,
    dressed_contacts,
    dressed_history,
    dressed_notes,
    dressed_tasks,
)
from integrations.erp import payloads
from integrations.models import Scope

reader = door(Scope.READ)

MOVED = Order("updated_at", "", is_time=True)
HAPPENED = Order("happened_at", "", is_time=True)


class Where(payloads.Strict):
    """Which rows: those that moved since a moment, in that order, and from where the last page ended."""

    after: str = Field("", max_length=300, description="`next` of the page before.")
    limit: int = Field(100, ge=1, le=200)
    updated_since: Annotated[datetime | None, Field(description="Rows that moved at or after this moment.")] = None
    contact_id: int | None = Field(None, ge=1, lt=2**63)


def responses(page: Any) -> dict[int, Any]:
    return {200: page, **answers.PROBLEMS}


@router.get("/contacts", response=responses(answers.Contacts), auth=reader, tags=["Read"], operation_id="readContacts")
def contacts(request: Any, where: Query[Where]) -> Any:
    return paged(request, where, Contact.objects, MOVED, dressed_contacts, own="pk")


@router.get(
    "/contacts/{contact_id}",
    response={200: answers.ContactOut, **answers.PROBLEMS, **answers.MISSING},
    auth=reader,
    tags=["Read"],
    operation_id="readContact",
)
def contact(request: Any, contact_id: Annotated[int, Path(ge=1, lt=2**63)]) -> Any:
    found = dressed_contacts(Contact.objects.of_business(request.auth.business_id).filter(pk=contact_id))
    return Status(200, found[0].told) if found else Status(404, {"error": "This business has no such contact."})


@router.get("/tasks", response=responses(answers.Tasks), auth=reader, tags=["Read"], operation_id="readTasks")
def tasks(request: Any, where: Query[Where]) -> Any:
    return paged(request, where, Task.objects, MOVED, dressed_tasks)


@router.get("/notes", response=responses(answers.Notes), auth=reader, tags=["Read"], operation_id="readNotes")
def notes(request: Any, where: Query[Where]) -> Any:
    return paged(request, where, Note.objects, MOVED, dressed_notes)


@router.get(
    "/appointments",
    response=responses(answers.Appointments),
    auth=reader,
    tags=["Read"],
    operation_id="readAppointments",
)
def appointments(request: Any, where: Query[Where]) -> Any:
    return paged(request, where, Appointment.objects, MOVED, dressed_appointments)


@router.get("/history", response=responses(answers.History), auth=reader, tags=["Read"], operation_id="readHistory")
def history(request: Any, where: Query[Where]) -> Any:
    """In the order things happened; `updated_since` means happened since."""
    return paged(request, where, HistoryEvent.objects, HAPPENED, dressed_history)


def paged(request: Any, where: Where, rows: Any, order: Order, dress: Any, own: str = "contact") -> Any:
    """Each location along its own index."""
    if where.after and order.parse(where.after) is None:
        return _wrong("after", "this is no `next` of ours")
    if where.updated_since and where.updated_since.utcoffset() is None:
        return _wrong("updated_since", "write it with its offset, like 2026-11-30T14:00:00Z")
    rows = rows.of_business(request.auth.business_id)
    if where.updated_since:
        rows = rows.filter(**{f"{order.key}__gte": where.updated_since})
    if where.contact_id:
        rows = rows.filter(**{own: where.contact_id})
    locations = Location.objects.filter(business=request.auth.business_id).values_list("pk", flat=True)
    page = page_over([rows.filter(location=pk) for pk in locations], order, where.after, where.limit, dress)
    following = order.cursor(page.rows[-1]) if page.rows else where.after
    return Status(200, {"items": [row.told for row in page.rows], "next": following, "has_more": bool(page.after)})


def _wrong(field: str, message: str) -> Any:
    return Status(422, {"error": "The request is not in order.", "fields": [{"field": field, "message": message}]})
