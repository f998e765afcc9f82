from contacts.models.appointment import Appointment
from contacts.models.business import Business, Invitation, LastAdmin, Membership, Role
from contacts.models.change import ActorKind, Change
from contacts.models.company import Company
from contacts.models.contact import Contact, ContactFreshness
from contacts.models.history import HistoryEvent
from contacts.models.location import Calendar, CustomField, Location, RemoteUser, Tag
from contacts.models.note import Note
from contacts.models.task import Task
from contacts.models.undoable import NotEditable, NotUndoable
from contacts.models.user import User

__all__ = [
    "ActorKind", "Appointment", "Business", "Calendar", "Change", "Company", "Contact", "ContactFreshness",
    "CustomField", "HistoryEvent", "Invitation", "LastAdmin", "Location", "Membership", "NotEditable", "NotUndoable",
    "Note", "RemoteUser", "Role", "Tag", "Task", "User",
]  # fmt: skip
