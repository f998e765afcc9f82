"""Where one can go. The rail, the palette and the keys after G read this list; what has no address is left out."""

from dataclasses import dataclass, replace

from django.urls import NoReverseMatch, reverse
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from contacts.models import Role

MANAGERS = (Role.MANAGER, Role.ADMIN)
ADMINS = (Role.ADMIN,)


@dataclass(frozen=True)
class Place:
    view: str
    name: str
    icon: str
    key: str = ""  # after G
    roles: tuple = tuple(Role)
    count: str = ""  # which of the frame's counts stands beside it
    counted: str = ""  # what that count is of, for those who do not see where it stands
    below: tuple = ()  # views whose pages lie under this one
    keywords: str = ""

    @cached_property
    def url(self):
        try:
            return reverse(self.view)
        except NoReverseMatch:
            return ""

    def is_for(self, role):
        return role in self.roles or Role.STAFF in self.roles


AUTOMATIONS = Place(
    "integrations:rules", _("Automations"), "zap", "u",
    below=(
        "integrations:rule", "integrations:edit_rule", "integrations:try_rule", "integrations:rule_runs",
        "integrations:run", "integrations:recipes",
    ),
    keywords=_("rules workflows triggers runs recipes"),
)  # fmt: skip
RAIL = (
    Place("contacts:today", _("Today"), "sun", "t", count="today", counted=_("due")),
    Place("contacts:list", _("Contacts"), "users", "c", below=("contacts:contact", "contacts:new_contact")),
    Place("contacts:companies", _("Companies"), "building-2", "m", below=("contacts:company",)),
    Place("contacts:tasks", _("Tasks"), "square-check", "k", count="tasks", counted=_("open")),
    Place("contacts:calendar", _("Calendar"), "calendar", "a"),
    Place("contacts:all_history", _("History"), "history", "h", roles=MANAGERS),
    Place("contacts:reports", _("Reports"), "chart-column", "r", roles=MANAGERS, below=("contacts:report_rows",)),
    Place(
        "integrations:unmatched", _("Unmatched"), "user-search", roles=MANAGERS,
        below=("integrations:stranger", "integrations:linked"),
    ),
    replace(AUTOMATIONS, roles=(Role.MANAGER,)),  # to read them
)  # fmt: skip
ADMIN_RAIL = (
    Place(
        "integrations:connections", _("Connections"), "plug", "n", roles=ADMINS,
        below=("integrations:agency", "integrations:install", "integrations:with_token"),
    ),
    Place(
        "integrations:erp", _("ERP"), "key-round", roles=ADMINS,
        below=(
            "integrations:new_key", "integrations:matching", "integrations:mappings", "integrations:mapping",
            "integrations:mapping_line", "integrations:mapping_preview", "integrations:mapping_import",
        ),
        keywords=_("API keys events field mapping"),
    ),
    replace(AUTOMATIONS, roles=ADMINS),
    Place(
        "integrations:health", _("Health"), "activity", "l", roles=ADMINS, below=("integrations:connection_health",)
    ),
    Place(
        "integrations:operations", _("Operations"), "blocks", "b", roles=ADMINS,
        below=("integrations:operation", "integrations:trigger", "integrations:operation_run"),
        keywords=_("catalogue actions triggers try sandbox"),
    ),
    Place("contacts:team", _("Team"), "user", "e", roles=ADMINS, keywords=_("members invite people")),
)  # fmt: skip
OUTBOX = Place("contacts:outbox", _("Outbox"), "send", "o", keywords=_("queued refused"))
MINE = (
    Place("contacts:preferences", _("Preferences"), "settings-2", "p", keywords=_("settings time zone language dates")),
    Place("account_change_password", _("Change password"), "key-round"),
    Place("account_email", _("E-mail addresses"), "mail"),
)


def places_for(role, places=(*RAIL, *ADMIN_RAIL, OUTBOX, *MINE)):
    """Those this role may open."""
    return [place for place in places if place.is_for(role) and place.url]
