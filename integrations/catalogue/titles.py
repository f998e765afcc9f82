"""What an operation is called here, made from its id and path: create-task is "Create a task of a contact"."""

import re

VERBS = {
    "get": "Read", "find": "Read", "fetch": "List", "list": "List", "edit": "Change", "update": "Change",
    "put": "Change", "upsert": "Create or change", "delete": "Delete", "remove": "Remove",
}  # fmt: skip
SMALL = {"to", "from", "by", "of", "for", "or", "and", "a", "an", "the", "every", "all", "new", "at"}
# Where the id says little, or something else than what is done.
OWN = {
    "contacts.create-association": "Add or remove tags of many contacts",
    "contacts.add-remove-contact-from-business": "Move many contacts to a company or out of it",
    "contacts.get-duplicate-contact": "Find a contact by e-mail or phone",
    "contacts.search-contacts-advanced": "Search contacts",
    "contacts.get-contacts-by-business-id": "List the contacts of a company",
    "contacts.update-task-completed": "Complete or reopen a task of a contact",
    "contacts.remove-contact-from-every-campaign": "Remove a contact from every campaign",
    "contacts.add-contact-to-workflow": "Add a contact to a workflow",
    "contacts.delete-contact-from-workflow": "Remove a contact from a workflow",
    "contacts.add-contact-to-campaign": "Add a contact to a campaign",
    "contacts.remove-contact-from-campaign": "Remove a contact from a campaign",
    "contacts.add-followers-contact": "Add followers to a contact",
    "contacts.remove-followers-contact": "Remove followers from a contact",
    "contacts.get-appointments-for-contact": "List the appointments of a contact",
    "calendars.get-slots": "List the free slots of a calendar",
    "calendars.get-groups": "List calendar groups",
    "calendars.delete-group": "Delete a calendar group",
    "calendars.edit-group": "Change a calendar group",
    "calendars.disable-group": "Switch a calendar group on or off",
    "calendars.validate-groups-slug": "Check the address of a calendar group",
    "calendars.get-event-notification": "List the notifications of a calendar",
    "calendars.add-calendar-to-schedule": "Add a calendar to a schedule",
    "calendars.remove-calendar-from-schedule": "Remove a calendar from a schedule",
    "calendars.get-all-schedules": "Search schedules",
    "calendars.get-services-catalog": "List service catalogs",
    "conversations.send-a-new-message": "Send a message",
    "conversations.add-an-inbound-message": "Add an inbound message",
    "conversations.add-an-outbound-message": "Add an outbound call",
    "conversations.user-subscription-change": "Change what a contact is subscribed to",
    "conversations.get-contact-unsubscription-status": "Read what a contact is unsubscribed from",
    "conversations.live-chat-agent-typing": "Show in live chat that somebody types",
    "conversations.export-messages-by-location": "Export messages",
    "conversations.search-conversation": "Search conversations",
    "conversations.get-all-custom-subtypes": "List custom subtypes",
    "custom-fields.get-custom-fields-by-object-key": "List the custom fields of an object",
    "locations.task-search": "Search tasks",
    "locations.get-all-or-email-sms-templates": "List e-mail and SMS templates",
    "locations.delete-an-email-sms-template": "Delete an e-mail or SMS template",
    "locations.get-location": "Read the location",
    "opportunities.search-opportunity": "Search opportunities by query",
    "opportunities.search-opportunities-advanced": "Search opportunities",
    "opportunities.add-followers-opportunity": "Add followers to an opportunity",
    "opportunities.remove-followers-opportunity": "Remove followers from an opportunity",
    "opportunities.get-lost-reason": "List lost reasons",
    "users.get-user-by-location": "List users",
}


def slug(text):
    """getScheduleById and get-schedule-by-id alike: get-schedule-by-id."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", apart.lower()).strip("-")


def title_of(key, path):
    if key in OWN:
        return OWN[key]
    verb, *rest = key.split(".", 1)[1].split("-")
    if rest[-2:] == ["by", "id"] or rest[-2:] == ["by", "location"]:
        rest = rest[:-2]
    many = bool(rest) and _is_plural(rest[-1])
    title = VERBS.get(verb, verb.capitalize())
    if title == "Read" and many:
        title = "List"
    if rest and not many and rest[0] not in SMALL:
        rest = ["an" if rest[0][0] in "aeio" else "a", *rest]
    words = " ".join([title, *rest]).replace(" email", " e-mail")
    owner = _owner(path)
    if owner and owner.split()[-1] not in slug(words).replace("e-mail", "email"):
        words += {"Add": " to", "Remove": " from"}.get(title, " of") + (" an " if owner[0] in "aeio" else " a ") + owner
    return words


def label_of(name):
    """What a parameter or a field is called here: "Due date" for dueDate."""
    words = slug(name).replace("-", " ")
    words = re.sub(r"\bids$", "ids", re.sub(r"\bemail\b", "e-mail", words))
    return words[:1].upper() + words[1:]


def _owner(path):
    """What the first id in the path is the id of, unless the path ends with it or it is the location."""
    parts = path.strip("/").split("/")
    for place, part in enumerate(parts[1:-1], 1):
        if part.startswith("{") and not parts[place - 1].startswith("{"):
            word = _singular(slug(parts[place - 1]).replace("-", " "))
            return "" if word == "location" else word
    return ""


def _is_plural(word):
    return word.endswith("s") and not word.endswith(("ss", "us"))


def _singular(word):
    if word.endswith("ies"):
        return word[:-3] + "y"
    return word[:-2] if word.endswith("sses") else word.rstrip("s")
