"""What an ERP may send, and the sentence when it may not. The names of fields are a promise to whoever programs it."""

import hashlib
import json
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    WrapValidator,
    model_validator,
)

MOST_EVENTS = 500  # stored in one transaction of about a second, and far below the 10 MB of one request
DEEPEST = 50
SYSTEM = "erp"  # what the only other system is called, unless the sender names it
EARLIEST, LATEST = 1970, 9998  # beyond these years some clock has no such moment


class Unreadable(ValueError):
    """The body cannot be kept as it is. `field` is where, as far as that is known."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


def read(body: bytes) -> Any:
    """The JSON of a body, if all of it can be stored. Raises Unreadable."""
    try:
        told = json.loads(body, parse_constant=_refuse_constant)
    except Unreadable:
        raise
    except (ValueError, RecursionError):
        raise Unreadable("The body is not JSON.") from None
    _check(told, "", 0)
    return told


def _refuse_constant(word: str) -> None:
    raise Unreadable(f"{word} is not a JSON number.")


def _check(value: Any, where: str, depth: int) -> None:
    if depth > DEEPEST:
        raise Unreadable(f"This is nested more than {DEEPEST} levels deep.", where)
    if isinstance(value, str):
        if "\x00" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
            raise Unreadable("A text holds a sign that is none: NUL, or half a surrogate pair.", where)
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise Unreadable("This number is too large.", where)
    elif isinstance(value, dict):
        for key, one in value.items():
            _check(key, where, depth)
            _check(one, f"{where}.{key}".lstrip("."), depth + 1)
    elif isinstance(value, list):
        for place, one in enumerate(value):
            _check(one, f"{where}.{place}".lstrip("."), depth + 1)


# --- the words they are made of ---------------------------------------------------------------------------------------


def _only_text(value: Any) -> Any:
    if not isinstance(value, str | datetime | date):
        raise ValueError("write it as text, like 2026-11-30T14:00:00Z")
    return value


def _sensible(value: Any) -> Any:
    if not EARLIEST <= value.year <= LATEST:
        raise ValueError(f"the year must be between {EARLIEST} and {LATEST}")
    # Postgres takes no offset of 16 hours and more, which ISO 8601 allows.
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _word(value: Any) -> Any:
    return "_".join(value.strip().lower().replace("-", " ").split()) if isinstance(value, str) else value


def text(most: int, least: int = 0) -> Any:
    return Annotated[str, StringConstraints(strip_whitespace=True, min_length=least, max_length=most)]


Reference = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
System = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]
Email = Annotated[str, StringConstraints(strip_whitespace=True, max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]
Phone = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Moment = Annotated[AwareDatetime, BeforeValidator(_only_text), AfterValidator(_sensible)]
Version = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
OurId = Annotated[int, Field(strict=True, ge=1, lt=2**63)]
Status = Annotated[
    Literal["open", "pending", "in_progress", "not_started", "incomplete", "completed", "complete", "done", "closed"],
    BeforeValidator(_word),
]
DONE = ("completed", "complete", "done", "closed")


def _due(value: Any) -> Any:
    _only_text(value)
    if isinstance(value, str) and len(value.strip()) == 10:
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise ValueError("this is no date: write it like 2026-11-30") from None
    return value


Due = Annotated[
    AwareDatetime | date, Field(union_mode="left_to_right"), BeforeValidator(_due), AfterValidator(_sensible)
]
FieldValue = str | bool | int | float | list[str] | None


class Strict(BaseModel):
    """An unknown field is an error: it may be a misspelt one, and nothing that is sent may get lost unnoticed."""

    model_config = ConfigDict(extra="forbid")


class Subject(Strict):
    """The customer something is about. The reference links for good; the rest helps to recognise them at first."""

    reference: Reference | None = Field(None, description="What your system calls this customer, e.g. CUST-1042.")
    system: System = Field(SYSTEM, description="Which of your systems says so, where there are several.")
    contact_id: OurId | None = Field(None, description="Our id of the contact, instead of a reference.")
    email: Email | None = None
    phone: Phone | None = None
    name: text(300) = ""  # type: ignore[valid-type]
    company: text(300) = ""  # type: ignore[valid-type]

    @model_validator(mode="after")
    def names_somebody(self) -> "Subject":
        if not (self.reference or self.contact_id or self.email or self.phone):
            raise ValueError("say whom it is about: a reference, a contact_id, an email or a phone")
        return self


class Versioned(Strict):
    occurred_at: Moment | None = Field(None, description="When it happened, with its offset; else when it arrived.")
    version: Version | None = Field(None, description="Rises with every change of the record. An older one is ignored.")


class EventIn(Versioned):
    """Something that happened: a line in the contact's history, and what automations and mappings begin with."""

    type: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,99}$")] = Field(
        description="What happened, e.g. invoice.paid."
    )
    subject: Subject
    record: text(200) = Field("", description="What `version` counts, e.g. the invoice INV-8841; else the customer.")  # type: ignore[valid-type]
    title: text(300) = Field("", description="How the history says it: Invoice 8841 paid.")  # type: ignore[valid-type]
    detail: text(300) = Field("", description="And what stands behind it: $12,400.00.")  # type: ignore[valid-type]
    link: Annotated[str, StringConstraints(max_length=1000, pattern=r"^(https?://\S+)?$")] = ""
    payload: dict[str, Any] = Field(default_factory=dict, description="Whatever else you know.")
    idempotency_key: Reference | None = Field(None, description="Or the header Idempotency-Key. Twice is once.")


class CustomerIn(Versioned):
    """A customer as your system knows them. What is left out stays as it is; an empty text empties the field."""

    reference: Reference
    system: System = SYSTEM
    contact_id: OurId | None = Field(None, description="Our id, when you know it.")
    first_name: text(200) | None = None  # type: ignore[valid-type]
    last_name: text(200) | None = None  # type: ignore[valid-type]
    email: Email | Literal[""] | None = None
    phone: Phone | None = None
    company: text(300) | None = None  # type: ignore[valid-type]
    fields: dict[str, FieldValue] = Field(
        default_factory=dict, description="More fields, by name: city, postal_code … or a custom field's key or name."
    )
    location: text(64) = Field("", description="GHL's id of the location a new contact belongs to, if several.")  # type: ignore[valid-type]


class TaskIn(Versioned):
    """A task for a customer. The same reference again updates it."""

    reference: Reference | None = Field(None, description="What your system calls the task; else the idempotency key.")
    customer: Subject
    title: text(500, 1) | None = Field(  # type: ignore[valid-type]
        None, validation_alias=AliasChoices("title", "taskName"), description="Or taskName. A new task needs one."
    )
    body: text(5000) | None = Field(None, validation_alias=AliasChoices("body", "description"))  # type: ignore[valid-type]
    due_at: Due | None = Field(
        None, validation_alias=AliasChoices("due_at", "dueDate"), description="Or dueDate: a day, or a moment."
    )
    status: Status | None = None
    assignee: Email | None = Field(None, description="The e-mail address of a GHL user of the location.")


class NoteIn(Versioned):
    """A note about a customer. The same reference again updates it."""

    reference: Reference | None = Field(None, description="What your system calls the note; else the idempotency key.")
    customer: Subject
    title: text(300) | None = None  # type: ignore[valid-type]
    body: text(50_000, 1) = Field(  # type: ignore[valid-type]
        validation_alias=AliasChoices("body", "noteContent"), description="Or noteContent."
    )


class Refused(BaseModel):
    """One item of a batch that is not in order: the others are stored all the same."""

    errors: list[dict[str, Any]]


def _or_refused(value: Any, handler: Any) -> Any:
    try:
        return handler(value)
    except ValidationError as wrong:
        return Refused(errors=[dict(error) for error in wrong.errors(include_url=False, include_input=False)])


class BatchIn(Strict):
    events: list[Annotated[EventIn, WrapValidator(_or_refused)]] = Field(min_length=1, max_length=MOST_EVENTS)


# --- about them -------------------------------------------------------------------------------------------------------


def identity(subject: Subject | CustomerIn) -> tuple[str, str]:
    """(system, reference) of the customer; of one without a reference, by what the ERP told instead."""
    if subject.reference:
        return subject.system, subject.reference
    if subject.contact_id:
        return "@contact", str(subject.contact_id)
    if subject.email:
        return "@email", subject.email.lower()
    return "@phone", "".join(sign for sign in subject.phone or "" if sign in "+0123456789") or str(subject.phone)


def fingerprint(kind: str, body: dict[str, Any]) -> str:
    """Whether two bodies say the same."""
    told = json.dumps([kind, body], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


def fields_in(errors: Any, skip: int = 0) -> list[dict[str, str]]:
    """[{field, message}] of what pydantic found wrong. Never the value: it may be somebody's data."""
    found: dict[str, str] = {}
    for error in errors:
        field = ".".join(str(part) for part in error["loc"][skip:] if not _is_inner(part))
        found.setdefault(field, error["msg"].removeprefix("Value error, "))
    return [{"field": field, "message": message} for field, message in found.items()]


def _is_inner(part: Any) -> bool:
    """A name of pydantic's for a branch of a union, not one of a field."""
    return isinstance(part, str) and (
        "[" in part or part in ("str", "bool", "int", "float", "literal", "date", "datetime")
    )
