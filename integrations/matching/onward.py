"""Where an ERP event goes on to, once it is known whom it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.automations import feeding

if TYPE_CHECKING:
    from contacts.models import Contact, HistoryEvent
    from integrations.models import ErpEvent


def matched(event: ErpEvent, contact: Contact, line: HistoryEvent | None) -> None:
    """Called once for every event that was matched and applied, replayed ones too, within the same transaction.

    What is written here stands or falls with the event; ring for slow work after the commit. `line` is its line in the
    contact's history, to be the cause of what follows; None where nothing was worth one.
    """
    feeding.erp_event(event, contact, line)
