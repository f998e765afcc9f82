from contacts.models.appointment import Appointment
from contacts.models.bulk_action import BulkAction
from contacts.models.business import Business, Invitation, LastAdmin, Membership, Role
from contacts.models.change import ActorKind, Change
from contacts.models.company import Company
from contacts.models.contact import Contact, ContactFreshness
from contacts.models.contact_view import ContactView
from contacts.models.draft import Draft
from contacts.models.external_id import ExternalId
from contacts.models.history import HistoryEvent
from contacts.models.location import Calendar, CustomField, Location, RemoteUser, Tag
from contacts.models.machine import Machine
from contacts.models.mention import Mention
from contacts.models.note import Note
from contacts.models.reminder import Reminder
from contacts.models.saved_view import ListHabits, SavedView
from contacts.models.search_word import SearchWord
from contacts.models.task import Task
from contacts.models.undoable import NotEditable, NotUndoable
from contacts.models.user import User
from contacts.models.verdict import Verdict

__all__ = [
    "ActorKind", "Appointment", "BulkAction", "Business", "Calendar", "Change", "Company", "Contact",
    "ContactFreshness", "ContactView", "CustomField", "Draft", "ExternalId", "HistoryEvent", "Invitation", "LastAdmin",
    "ListHabits", "Location", "Machine", "Membership", "Mention", "NotEditable", "NotUndoable", "Note", "Reminder",
    "RemoteUser", "Role", "SavedView", "SearchWord", "Tag", "Task", "User", "Verdict",
]  # fmt: skip
