"""Contacts as a CSV file, a page of them at a time, so that the first line leaves before the last is read."""

from django.utils import timezone
from django.utils.translation import gettext_lazy

from contacts.csv_file import csv_response
from contacts.listing import columns
from contacts.models import Contact
from contacts.rows import for_rows, rows_of

PAGE = 500
ALWAYS = (
    gettext_lazy("Name"), gettext_lazy("First name"), gettext_lazy("Last name"), gettext_lazy("E-mail"),
    gettext_lazy("Phone"), gettext_lazy("Company"), gettext_lazy("Business"),
)  # fmt: skip
TWICE = {"email", "phone", "company"}


def csv_of(contacts, shown):
    """`shown` are the columns beside what every such file has."""
    shown = [column for column in shown if column.key not in TWICE]
    name = f"contacts-{timezone.localdate().isoformat()}"
    return csv_response(name, [*ALWAYS, *(column.label for column in shown)], _lines(contacts, shown))


def _lines(contacts, shown):
    last = 0
    while keys := list(contacts.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:PAGE]):
        now, last = timezone.now(), keys[-1]
        page = for_rows(Contact.objects.filter(pk__in=keys).order_by("sort_name", "pk"))
        if any(column.field for column in shown):
            page = columns.with_fields(page)
        rows = rows_of(page, now)
        columns.fill(rows, shown)
        for row in rows:
            contact = row.contact
            always = [contact.name, contact.first_name, contact.last_name, contact.email, contact.phone]
            company = contact.company_name or (contact.company.name if contact.company else "")
            yield [*always, company, contact.business.name, *(_cell(row, column) for column in shown)]


def _cell(row, column):
    contact = row.contact
    return {
        "owner": lambda: contact.owner.name if contact.owner else "",
        "tags": lambda: ", ".join(contact.tags),
        "tasks": lambda: row.open_tasks,
        "next": lambda: row.appointment.starts_at if row.appointment else None,
        "last": lambda: row.active_at,
        "city": lambda: contact.city,
        "source": lambda: contact.source,
        "added": lambda: contact.remote_created_at or contact.created_at,
        "checked": lambda: row.checked_at,
    }.get(column.key, lambda: getattr(row, "custom", {}).get(column.key, ""))()
