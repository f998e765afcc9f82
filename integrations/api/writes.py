"""What an ERP may send. Everything is stored first and answered 202; a worker does the rest."""

from typing import Annotated, Any
from uuid import UUID

from django.urls import reverse
from ninja import Header, Status

from integrations import tasks
from integrations.api import answers
from integrations.api.doors import door, router
from integrations.erp import payloads
from integrations.matching import arrivals
from integrations.models import ErpEvent, Scope, Stranger

OTHER_BODY = "This idempotency key came with another body before. Nothing was changed."
NO_KEY = {"field": "idempotency_key", "message": "say one here or in the header Idempotency-Key"}
TWO_KEYS = {"field": "idempotency_key", "message": "the header Idempotency-Key says another one"}
ANSWERS = {202: answers.Accepted, **answers.PROBLEMS, **answers.CONFLICT}
Key = Annotated[payloads.Reference | None, Header(alias="Idempotency-Key", description="The same key twice is once.")]

Kind = ErpEvent.Kind


@router.post("/events", response=ANSWERS, auth=door(Scope.EVENTS), tags=["Write"], operation_id="sendEvent")
def event(request: Any, told: payloads.EventIn, idempotency_key: Key = None) -> Any:
    """Something happened to a customer."""
    if idempotency_key and told.idempotency_key and idempotency_key != told.idempotency_key:
        return Status(422, {"error": "The request is not in order.", "fields": [TWO_KEYS]})
    key = idempotency_key or told.idempotency_key
    if not key:
        return Status(422, {"error": "The request is not in order.", "fields": [NO_KEY]})
    return answered(request, offered_event(told, key))


@router.post(
    "/events/batch",
    response={202: answers.Batch, **answers.PROBLEMS},
    auth=door(Scope.EVENTS),
    tags=["Write"],
    operation_id="sendEvents",
)
def events(request: Any, told: payloads.BatchIn) -> Any:
    """Up to 500 events at once, each answered on its own. Each needs its idempotency_key."""
    items: list[Any] = [None] * len(told.events)
    offers = {}
    for place, one in enumerate(told.events):
        if isinstance(one, payloads.Refused):
            items[place] = {"status": 422, "error": "Not in order.", "fields": payloads.fields_in(one.errors)}
        elif not one.idempotency_key:
            items[place] = {"status": 422, "error": "Not in order.", "fields": [NO_KEY]}
        else:
            offers[place] = offered_event(one, one.idempotency_key)
    kept = arrivals.keep(request.auth, offers.values())
    for place, stored in zip(offers, kept, strict=True):
        is_other = {"status": 409, "error": OTHER_BODY}
        items[place] = is_other if stored.is_other else {"status": 202, **receipt(stored)}
    ring(kept)
    return Status(202, {"items": items})


@router.get(
    "/events/{event_id}",
    response={200: answers.Told, **answers.PROBLEMS, **answers.MISSING},
    auth=door(),
    tags=["Write"],
    operation_id="readEvent",
)
def became(request: Any, event_id: UUID) -> Any:
    """What has become of an event, customer, task or note you sent."""
    sent = ErpEvent.objects.of_business(request.auth.business_id).select_related("change").defer("body")
    found = sent.filter(uid=event_id).first()
    if found is None:
        return Status(404, {"error": "Nothing with this id was sent by this business."})
    state, reason = found.outcome or "queued", found.reason
    if state == ErpEvent.Outcome.UNMATCHED:
        about = {"business": found.business_id, "system": found.system, "reference": found.reference}
        ignored = Stranger.objects.filter(**about).exclude(ignored_at=None).first()
        state, reason = ("ignored", ignored.ignored_because) if ignored else (state, reason)
    change = found.change and {"state": found.change.state, "sentence": found.change.sentence}
    names = ("kind", "type", "idempotency_key", "occurred_at", "received_at", "contact_id")
    told = {name: getattr(found, name) for name in names}
    return Status(200, {**told, "id": str(found.uid), "state": state, "reason": reason, "change": change})


@router.put("/customers", response=ANSWERS, auth=door(Scope.CUSTOMERS), tags=["Write"], operation_id="putCustomer")
def customer(request: Any, told: payloads.CustomerIn, idempotency_key: Key = None) -> Any:
    """A customer as your system knows them: matched with a contact, or made one."""
    return answered(request, offered(Kind.CUSTOMER, told, told, "", idempotency_key))


@router.post("/customers", response=ANSWERS, auth=door(Scope.CUSTOMERS), tags=["Write"], operation_id="postCustomer")
def customer_by_post(request: Any, told: payloads.CustomerIn, idempotency_key: Key = None) -> Any:
    """The same, for those who cannot PUT."""
    return customer(request, told, idempotency_key)


@router.post("/tasks", response=ANSWERS, auth=door(Scope.TASKS), tags=["Write"], operation_id="putTask")
def task(request: Any, told: payloads.TaskIn, idempotency_key: Key = None) -> Any:
    """A task for a customer: made, or updated when its reference is known."""
    return put(request, Kind.TASK, told, idempotency_key)


@router.post("/notes", response=ANSWERS, auth=door(Scope.NOTES), tags=["Write"], operation_id="putNote")
def note(request: Any, told: payloads.NoteIn, idempotency_key: Key = None) -> Any:
    """A note about a customer: made, or updated when its reference is known."""
    return put(request, Kind.NOTE, told, idempotency_key)


def put(request: Any, kind: str, told: Any, key: str | None) -> Any:
    reference = told.reference or key
    if not reference:
        missing = {"field": "reference", "message": "say one, or an Idempotency-Key: else sent twice would be two"}
        return Status(422, {"error": "The request is not in order.", "fields": [missing]})
    return answered(request, offered(kind, told, told.customer, reference, key))


def offered_event(told: payloads.EventIn, key: str) -> arrivals.Offer:
    return offered(Kind.EVENT, told, told.subject, told.record, key, type=told.type)


def offered(kind: str, told: Any, subject: Any, record: str, key: str | None, type: str = "") -> arrivals.Offer:
    body = told.model_dump(mode="json", exclude={"idempotency_key"})
    system, reference = payloads.identity(subject)
    with_key = {"idempotency_key": key} if key else {}
    return arrivals.Offer(
        kind=kind, type=type or f"{kind}.sent", system=system, reference=reference, record=record, body=body,
        body_hash=payloads.fingerprint(kind, body), occurred_at=told.occurred_at, version=told.version, **with_key,
    )  # fmt: skip


def answered(request: Any, offer: arrivals.Offer) -> Any:
    kept = arrivals.keep(request.auth, [offer])
    if kept[0].is_other:
        return Status(409, {"error": OTHER_BODY})
    ring(kept)
    return Status(202, receipt(kept[0]))


def receipt(kept: arrivals.Kept) -> dict[str, Any]:
    uid = str(kept.event.uid)
    url = reverse("integrations:erp-api:became", kwargs={"event_id": uid})
    return {"id": uid, "status_url": url, "repeated": not kept.is_new}


def ring(kept: list[arrivals.Kept]) -> None:
    for pk in arrivals.to_ring(kept):
        tasks.ring(tasks.handle_erp_event, pk)
