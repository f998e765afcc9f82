"""Django's admin, for whoever runs the server: to see how the connections do. Nothing here can be changed.

A ConnectAttempt is not shown: it is a secret on its way.
"""

from django.contrib import admin

from contacts.admin import ReadOnlyAdmin
from integrations.models import (
    Agency,
    Connection,
    Delivery,
    InboundEvent,
    Incident,
    QuarantinedEvent,
    SyncRun,
    Trouble,
    Usage,
)

STANDING = [
    "company_id", "status", "status_reason", "status_since", "connected_by", "connected_at", "token_version",
    "token_obtained_at", "expires_at", "renew_at", "renew_tries", "refresh_sent_at", "lease_until",
]  # fmt: skip


@admin.register(Connection)
class ConnectionAdmin(ReadOnlyAdmin):
    """Never with its tokens, sealed or not: so the fields are named one by one."""

    fields = ["location", "kind", "agency", "scopes", "installer_id", *STANDING]
    list_display = ["location", "business", "kind", "status", "status_since", "expires_at"]
    list_filter = ["status", "kind"]
    list_select_related = ["location__business"]
    search_fields = ["location__name", "location__remote_id", "location__business__name"]

    @admin.display(ordering="location__business__name")
    def business(self, connection):
        return connection.location.business


@admin.register(Agency)
class AgencyAdmin(ReadOnlyAdmin):
    """Without tokens, as above."""

    fields = ["business", *STANDING]
    list_display = ["company_id", "business", "status", "status_since", "expires_at"]
    list_filter = ["status"]
    list_select_related = ["business"]
    search_fields = ["company_id", "business__name"]


@admin.register(SyncRun)
class SyncRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "connection", "kind", "phase", "outcome", "requests", "attempts", "started_at", "finished_at"]
    list_filter = ["kind", "outcome", "phase"]
    list_select_related = ["connection__location"]
    search_fields = ["connection__location__name", "connection__location__remote_id"]
    date_hierarchy = "started_at"


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    list_display = ["id", "location", "kind", "record_id", "attempts", "next_at", "sent_at", "finished_at"]
    list_filter = ["kind", ("finished_at", admin.EmptyFieldListFilter)]
    list_select_related = ["location"]
    search_fields = ["location__name", "location__remote_id", "=record_id"]


@admin.register(InboundEvent)
class InboundEventAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "remote_location_id", "outcome", "attempts", "received_at", "finished_at"]
    list_filter = ["outcome", "kind"]
    exclude = ["body"]  # people's data, of no use here: the record itself is read again
    search_fields = ["event_id", "remote_location_id"]
    date_hierarchy = "received_at"


@admin.register(QuarantinedEvent)
class QuarantinedEventAdmin(ReadOnlyAdmin):
    """How many there are and since when. What they say is believed by nobody, and may be anybody's."""

    fields = ["body_hash", "received_at"]
    list_display = ["id", "body_hash", "received_at"]
    date_hierarchy = "received_at"


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    list_display = ["id", "kind", "connection", "opened_at", "closed_at", "closed_by", "finished_at"]
    list_filter = ["kind", ("closed_at", admin.EmptyFieldListFilter)]
    list_select_related = ["connection__location", "closed_by"]
    search_fields = ["connection__location__name", "connection__location__remote_id"]
    date_hierarchy = "opened_at"


@admin.register(Trouble)
class TroubleAdmin(ReadOnlyAdmin):
    list_display = ["id", "doing", "error", "times", "connection", "last_at"]
    list_filter = ["error"]
    list_select_related = ["connection__location"]
    search_fields = ["connection__location__name", "path"]
    date_hierarchy = "last_at"


@admin.register(Usage)
class UsageAdmin(ReadOnlyAdmin):
    list_display = ["connection", "day", "requests", "retries", "refused"]
    list_select_related = ["connection__location"]
    search_fields = ["connection__location__name", "connection__location__remote_id"]
    date_hierarchy = "day"
