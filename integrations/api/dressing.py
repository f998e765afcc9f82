"""Rows as they are told: to whoever reads them, and by webhook to whoever wants to hear of them."""

from typing import Any

from django.conf import settings
from django.db.models import Prefetch

from contacts.models import CustomField, ExternalId


def named(kind: str) -> Any:
    """The names the ERP has given to these records, and nobody else's."""
    given = ExternalId.objects.filter(kind=kind).exclude(system__startswith="@").order_by("pk")
    return Prefetch("external_ids", given, to_attr="names")


def dressed(rows: Any, tell: Any) -> list[Any]:
    shown = list(rows)
    for row in shown:
        row.told = tell(row)
    return shown


def dressed_contacts(rows: Any) -> list[Any]:
    rows = list(rows.select_related("location", "company", "owner").prefetch_related(named("contact")))
    fields = CustomField.objects.filter(location__in={row.location_id for row in rows})
    keys = {(one.location_id, one.remote_id): one.key or one.name for one in fields}
    alike = (
        "id first_name last_name email phone tags address city state postal_code country website "
        "date_of_birth source type name created_at updated_at"
    )

    def tell(row: Any) -> dict[str, Any]:
        return {
            **{name: getattr(row, name) for name in alike.split()},
            "ghl_id": row.remote_id,
            "location": row.location.remote_id,
            "references": _names(row),
            "company": row.company_name or (row.company.name if row.company else ""),
            "owner": row.owner.email if row.owner else "",
            "custom_fields": {keys.get((row.location_id, key), key): one for key, one in row.custom_values.items()},
            "url": f"{settings.PUBLIC_URL}{row.get_absolute_url()}",
            "deleted": row.deleted_at is not None,
        }

    return dressed(rows, tell)


def record(row: Any, *names: str) -> dict[str, Any]:
    return {
        **{name: getattr(row, name) for name in ("id", "contact_id", "created_at", "updated_at", *names)},
        "ghl_id": row.remote_id,
        "references": _names(row),
        "deleted": row.deleted_at is not None,
    }


def dressed_tasks(rows: Any) -> list[Any]:
    def tell(row: Any) -> dict[str, Any]:
        own = record(row, "title", "body", "due_at", "completed", "completed_at")
        return {**own, "assignee": row.assignee.email if row.assignee else ""}

    return dressed(rows.select_related("assignee").prefetch_related(named("task")), tell)


def dressed_notes(rows: Any) -> list[Any]:
    def tell(row: Any) -> dict[str, Any]:
        return {**record(row, "title", "body"), "author": row.author.name if row.author else ""}

    return dressed(rows.select_related("author").prefetch_related(named("note")), tell)


def dressed_appointments(rows: Any) -> list[Any]:
    def tell(row: Any) -> dict[str, Any]:
        own = record(row, "title", "status", "starts_at", "ends_at", "address", "notes")
        people = {"calendar": row.calendar.name if row.calendar else ""}
        return {**own, **people, "assignee": row.assignee.email if row.assignee else ""}

    return dressed(rows.select_related("assignee", "calendar"), tell)


def dressed_history(rows: Any) -> list[Any]:
    names = ("id", "contact_id", "kind", "actor_kind", "title", "detail", "link", "changes", "happened_at")

    def tell(row: Any) -> dict[str, Any]:
        own = {name: getattr(row, name) for name in names}
        return {**own, "actor": row.actor_name, "caused_by": row.cause_id}

    return dressed(rows, tell)


def _names(row: Any) -> list[dict[str, str]]:
    return [{"system": one.system, "value": one.value} for one in getattr(row, "names", ())]
