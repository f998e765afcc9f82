"""The shapes of our answers."""

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, Field


class WrongField(BaseModel):
    field: str = Field(description="Where: subject.email, or events.3.type in a batch.")
    message: str


class Problem(BaseModel):
    error: str
    fields: list[WrongField] = []


class Accepted(BaseModel):
    """It is stored. What becomes of it is told at status_url."""

    id: str
    status_url: str
    repeated: bool = Field(description="This idempotency key was known: the answer is about the first one.")


class Item(BaseModel):
    """What became of one event of a batch, in the order they were sent."""

    status: int = Field(description="202 stored, 409 the key came with another body before, 422 not in order.")
    id: str | None = None
    status_url: str | None = None
    repeated: bool | None = None
    error: str = ""
    fields: list[WrongField] = []


class Batch(BaseModel):
    items: list[Item]


class ChangeState(BaseModel):
    state: str = Field(description="How far it has got towards GHL: queued … confirmed, differs, conflict, refused.")
    sentence: str


class Told(BaseModel):
    """What has become of something you sent."""

    id: str
    kind: str
    type: str
    idempotency_key: str
    occurred_at: datetime
    received_at: datetime
    state: str = Field(description="queued, handled, superseded, unmatched, ignored or failed.")
    reason: str
    contact_id: int | None
    change: ChangeState | None


class Name(BaseModel):
    system: str
    value: str


class ContactOut(BaseModel):
    id: int
    ghl_id: str | None
    location: str
    references: list[Name]
    name: str
    first_name: str
    last_name: str
    email: str
    phone: str
    company: str
    owner: str
    tags: list[str]
    address: str
    city: str
    state: str
    postal_code: str
    country: str
    website: str
    date_of_birth: date | None
    source: str
    type: str
    custom_fields: dict[str, Any]
    url: str
    deleted: bool
    created_at: datetime
    updated_at: datetime


class Record(BaseModel):
    id: int
    ghl_id: str | None
    contact_id: int
    references: list[Name] = []
    deleted: bool
    created_at: datetime
    updated_at: datetime


class TaskOut(Record):
    title: str
    body: str
    due_at: datetime | None
    completed: bool
    completed_at: datetime | None
    assignee: str


class NoteOut(Record):
    title: str
    body: str
    author: str


class AppointmentOut(Record):
    title: str
    status: str
    starts_at: datetime | None
    ends_at: datetime | None
    address: str
    notes: str
    calendar: str
    assignee: str


class HistoryOut(BaseModel):
    id: int
    contact_id: int
    kind: str
    actor_kind: str
    actor: str
    title: str
    detail: str
    link: str
    changes: dict[str, Any] = Field(description="{field: [old, new]}")
    caused_by: int | None
    happened_at: datetime


class Page(BaseModel):
    next: str = Field(description="Say it as `after` to go on from here, now or later.")
    has_more: bool


class Contacts(Page):
    items: list[ContactOut]


class Tasks(Page):
    items: list[TaskOut]


class Notes(Page):
    items: list[NoteOut]


class Appointments(Page):
    items: list[AppointmentOut]


class History(Page):
    items: list[HistoryOut]


PROBLEMS = dict.fromkeys((401, 403, 413, 422, 429, 503), Problem)
MISSING = {404: Problem}
CONFLICT = {409: Problem}
