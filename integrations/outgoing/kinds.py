"""What the ERP can be told of, and which line of history tells of what."""

from django.utils.translation import gettext_lazy as _

from contacts.models import HistoryEvent

TEST = "test"
GROUPS = [
    (_("Contacts"), {
        "contact.created": _("created"), "contact.updated": _("updated"), "contact.tags_changed": _("tags changed"),
        "contact.deleted": _("deleted"), "contact.restored": _("restored"),
    }),
    (_("Tasks"), {
        "task.created": _("created"), "task.updated": _("updated"), "task.completed": _("completed"),
        "task.reopened": _("reopened"), "task.deleted": _("deleted"), "task.restored": _("restored"),
    }),
    (_("Notes"), {
        "note.created": _("created"), "note.updated": _("updated"), "note.deleted": _("deleted"),
        "note.restored": _("restored"),
    }),
    (_("Appointments"), {
        "appointment.booked": _("booked"), "appointment.moved": _("moved"), "appointment.updated": _("updated"),
        "appointment.confirmed": _("confirmed"), "appointment.showed": _("kept"), "appointment.no_show": _("no-show"),
        "appointment.cancelled": _("cancelled"), "appointment.deleted": _("deleted"),
        "appointment.restored": _("restored"),
    }),
]  # fmt: skip
ALL = [kind for _label, kinds in GROUPS for kind in kinds]

_Kind = HistoryEvent.Kind
ADDED = (_Kind.CONTACT_ADDED, _Kind.NOTE_ADDED, _Kind.TASK_ADDED, _Kind.APPOINTMENT_BOOKED)
OF_LINE = {
    _Kind.CONTACT_ADDED: "contact.created",
    _Kind.CONTACT_CHANGED: "contact.updated",
    _Kind.TAGS_CHANGED: "contact.tags_changed",
    _Kind.CONTACT_DELETED: "contact.deleted",
    _Kind.CONTACT_RESTORED: "contact.restored",
    _Kind.TASK_ADDED: "task.created",
    _Kind.TASK_CHANGED: "task.updated",
    _Kind.TASK_DONE: "task.completed",
    _Kind.TASK_REOPENED: "task.reopened",
    _Kind.TASK_DELETED: "task.deleted",
    _Kind.TASK_RESTORED: "task.restored",
    _Kind.NOTE_ADDED: "note.created",
    _Kind.NOTE_CHANGED: "note.updated",
    _Kind.NOTE_DELETED: "note.deleted",
    _Kind.NOTE_RESTORED: "note.restored",
    _Kind.APPOINTMENT_BOOKED: "appointment.booked",
    _Kind.APPOINTMENT_MOVED: "appointment.moved",
    _Kind.APPOINTMENT_CHANGED: "appointment.updated",
    _Kind.APPOINTMENT_DELETED: "appointment.deleted",
    _Kind.APPOINTMENT_RESTORED: "appointment.restored",
}
_OF_STATUS = {
    "confirmed": "appointment.confirmed",
    "showed": "appointment.showed",
    "noshow": "appointment.no_show",
    "no-show": "appointment.no_show",
    "cancelled": "appointment.cancelled",
    "canceled": "appointment.cancelled",
}


def of(line):
    """What this line of history is called when it is told."""
    kind = OF_LINE[line.kind]
    if line.appointment_id and "status" in line.changes and kind in ("appointment.updated", "appointment.moved"):
        return _OF_STATUS.get(line.changes["status"][1], kind)
    return kind
