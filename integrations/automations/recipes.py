"""Rules that a business can take over, to look at, change and try before they are switched on."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_lazy as lazy


@dataclass(frozen=True)
class Recipe:
    """`spec` is a whole rule as shape.py describes it. `about` says in a sentence or two what it is good for.

    `needs` says what must be there beforehand, or "". `fill_in` are the places of the spec that each business has to
    say itself, as shape.Problem names them: ("actions.1.workflow",).
    """

    slug: str
    name: Any
    about: Any
    spec: dict[str, Any] = field(hash=False)
    needs: Any = ""
    fill_in: tuple[str, ...] = ()


def _rule(trigger: dict[str, Any], *actions: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    done = [{"do": key, "values": values} for key, values in actions]
    return {"trigger": trigger, "conditions": {"any": []}, "actions": done}


NOT_THE_ERP = ["person", "ghl"]  # nor a rule: the ERP need not hear from us what it has told us

RECIPES: tuple[Recipe, ...] = (
    Recipe(
        slug="invoice-overdue",
        name=lazy("Invoice overdue: a task for the owner"),
        about=lazy("Whoever owns the contact gets a task to chase the invoice, due the next working day."),
        spec=_rule(
            {"kind": "erp", "type": "invoice.overdue"},
            (
                "create_task",
                {
                    "title": "Chase invoice {{ event.number }}",
                    "body": "{{ event.title }} {{ event.detail }} {{ event.link }}",
                    "due": "1 working day",
                    "assignee": "owner",
                },
            ),
        ),
    ),
    Recipe(
        slug="invoice-paid",
        name=lazy("Invoice paid: a note and a tag"),
        about=lazy(
            "The payment stands as a note with the contact, in GHL too, and the tag “paid” can start a workflow."
        ),
        spec=_rule(
            {"kind": "erp", "type": "invoice.paid"},
            ("create_note", {"body": "{{ event.title }}\n{{ event.detail }}\n{{ event.link }}"}),
            ("add_tags", {"tags": ["paid"]}),
        ),
    ),
    Recipe(
        slug="order-shipped",
        name=lazy("Order shipped: a note"),
        about=lazy("Whoever opens the contact sees that the order is on its way."),
        spec=_rule(
            {"kind": "erp", "type": "order.shipped"},
            ("create_note", {"body": "{{ event.title }}\n{{ event.detail }}\n{{ event.link }}"}),
        ),
    ),
    Recipe(
        slug="task-done",
        name=lazy("Task completed in GHL: a note in the ERP"),
        about=lazy("When somebody completes a task, here or in GHL, the ERP is told and can keep it as a note."),
        needs=lazy("An outgoing webhook to the ERP: choose it in the form."),
        fill_in=("actions.1.hook",),
        spec=_rule(
            {"kind": "line", "line": "task_done", "by": NOT_THE_ERP},
            (
                "call_webhook",
                {
                    "type": "note.created",
                    "data": [{"field": "noteContent", "value": "Done: {{ task.title }} ({{ event.by }})"}],
                },
            ),
        ),
    ),
    Recipe(
        slug="contact-added",
        name=lazy("New contact in GHL: told to the ERP"),
        about=lazy(
            "The ERP hears of every contact that is new in GHL or here, with name, e-mail address and phone number."
        ),
        needs=lazy("An outgoing webhook to the ERP: choose it in the form."),
        fill_in=("actions.1.hook",),
        spec=_rule(
            {"kind": "line", "line": "contact_added", "by": NOT_THE_ERP},
            ("call_webhook", {"type": "customer.created"}),
        ),
    ),
    Recipe(
        slug="no-show",
        name=lazy("Appointment missed: a task to call"),
        about=lazy("When an appointment is marked as no-show, the contact’s owner gets a task for tomorrow."),
        spec=_rule(
            {"kind": "no_show"},
            (
                "create_task",
                {
                    "title": "Call back: missed {{ appointment.title }}",
                    "body": "It was to be {{ appointment.start }}.",
                    "due": "1 working day",
                    "assignee": "owner",
                },
            ),
        ),
    ),
    Recipe(
        slug="gone-quiet",
        name=lazy("Gone quiet: a task after 30 days"),
        about=lazy("A contact with whom nothing has happened for 30 days gets somebody’s attention again."),
        spec=_rule(
            {"kind": "quiet", "days": "30"},
            ("create_task", {"title": "Get in touch: quiet for 30 days", "due": "2 working days", "assignee": "owner"}),
        ),
    ),
    Recipe(
        slug="task-overdue",
        name=lazy("Task overdue: tell the managers"),
        about=lazy("A task that is three days late comes up in the managers’ bell."),
        spec=_rule(
            {"kind": "overdue", "days": "3"},
            (
                "notify",
                {"who": "managers", "text": "Overdue: {{ task.title }} ({{ contact.name }}, {{ task.assignee }})"},
            ),
        ),
    ),
)


def recipe(slug: str) -> Recipe | None:
    return next((one for one in RECIPES if one.slug == slug), None)
