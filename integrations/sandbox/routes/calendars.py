"""Calendars of a location."""

from ..answers import Answer, absent
from ..moments import iso
from ..routing import operation
from ..store import new_id
from ..validation import anything, flag, number, query_text, text, validated

READ, WRITE = "calendars.readonly", "calendars.write"
TEXTS = [
    "groupId",
    "eventType",
    "description",
    "slug",
    "widgetSlug",
    "calendarType",
    "widgetType",
    "eventTitle",
    "eventColor",
    "meetingLocation",
    "slotDurationUnit",
    "slotIntervalUnit",
    "slotBufferUnit",
    "preBufferUnit",
    "allowBookingAfterUnit",
    "allowBookingForUnit",
    "formId",
    "alertEmail",
    "notes",
    "pixelId",
    "formSubmitType",
    "formSubmitRedirectURL",
    "formSubmitThanksMessage",
    "guestType",
    "consentLabel",
    "calendarCoverImage",
]
NUMBERS = [
    "slotDuration",
    "slotInterval",
    "slotBuffer",
    "preBuffer",
    "appoinmentPerSlot",
    "appoinmentPerDay",
    "allowBookingAfter",
    "allowBookingFor",
    "availabilityType",
]
FLAGS = [
    "isActive",
    "enableRecurring",
    "stickyContact",
    "isLivePaymentMode",
    "autoConfirm",
    "shouldSendAlertEmailsToAssignedMember",
    "googleInvitationEmails",
    "allowReschedule",
    "allowCancellation",
    "shouldAssignContactToTeamMember",
    "shouldSkipAssigningContactForExisting",
]
NESTED = [
    "notifications",
    "teamMembers",
    "locationConfigurations",
    "openHours",
    "recurring",
    "availabilities",
    "lookBusyConfig",
]
WRITABLE = (
    {name: text() for name in TEXTS}
    | {name: number() for name in NUMBERS}
    | {name: flag() for name in FLAGS}
    | {name: anything() for name in NESTED}
    | {"name": text()}
)
DEFAULTS = {
    "isActive": True,
    "calendarType": "round_robin",
    "eventTitle": "{{contact.name}}",
    "eventColor": "#039be5",
    "slotDuration": 30,
    "slotDurationUnit": "mins",
    "slotInterval": 30,
    "slotIntervalUnit": "mins",
    "slotBuffer": 0,
    "slotBufferUnit": "mins",
    "preBuffer": 0,
    "preBufferUnit": "mins",
    "widgetType": "default",
    "appoinmentPerSlot": 1,
    "appointmentPerSlot": 1,
    "autoConfirm": True,
    "googleInvitationEmails": False,
    "allowReschedule": True,
    "allowCancellation": True,
    "enableRecurring": False,
    "guestType": "count_only",
    "consentLabel": "I confirm that I want to receive content from this company.",
    "formSubmitType": "ThankYouMessage",
    "formSubmitThanksMessage": "Thank you for your appointment request.",
    "openHours": {},
    "availabilities": [],
    "teamMembers": [],
}


def shape(calendar):
    return {name: value for name, value in calendar.items() if name not in ("dateAdded", "dateUpdated")}


def calendar_of(call):
    calendar_id = call.captured["calendar_id"]
    location = call.home_of("calendars", calendar_id)
    calendar = location.calendars.get(calendar_id)
    if calendar is None:
        raise absent("Calendar", calendar_id)
    return location, calendar


@operation("GET", "/calendars/", READ)
def listed(call):
    location = call.enter(query_text(call.query, "locationId"))
    group, drafted = call.query.get("groupId"), call.query.get("showDrafted", "true") != "false"
    found = [
        shape(calendar)
        for calendar in location.calendars
        if (drafted or calendar["isActive"]) and (not group or calendar.get("groupId") == group)
    ]
    return Answer({"calendars": found})


@operation("GET", "/calendars/groups", "calendars/groups.readonly")
def groups(call):
    location = call.enter(query_text(call.query, "locationId"))
    ids = dict.fromkeys(one["groupId"] for one in location.calendars if one.get("groupId"))
    shapes = [
        {"id": one, "locationId": location.id, "name": "Site visits", "slug": "site-visits", "isActive": True}
        for one in ids
    ]
    return Answer({"groups": shapes})


@operation("GET", "/calendars/{calendar_id}", READ)
def read(call):
    _, calendar = calendar_of(call)
    return Answer({"calendar": shape(calendar) | {"notifications": calendar.get("notifications", [])}})


@operation("POST", "/calendars/", WRITE)
def create(call):
    location = call.enter(call.body().get("locationId"))
    values = validated(call.body(), WRITABLE | {"name": text(required=True), "locationId": text(required=True)})
    stamps = {"dateAdded": call.now, "dateUpdated": call.now}
    calendar = location.calendars.put({**DEFAULTS, **values, **stamps, "id": new_id(), "locationId": location.id})
    return Answer({"calendar": shape(calendar)})


@operation("PUT", "/calendars/{calendar_id}", WRITE)
def edit(call):
    location, calendar = calendar_of(call)
    values = validated(call.body(), WRITABLE)
    return Answer({"calendar": shape(location.calendars.change(calendar["id"], dateUpdated=call.now, **values))})


@operation("DELETE", "/calendars/{calendar_id}", WRITE)
def delete(call):
    location, calendar = calendar_of(call)
    location.calendars.remove(calendar["id"])
    times = {"dateAdded": iso(calendar["dateAdded"]), "dateUpdated": iso(call.now)}
    return Answer({"message": "Calendar deleted", "calendar": shape(calendar) | times | {"deleted": True}})
