"""The contact itself: tags, owner, fields."""

from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from contacts.details.fields import fields_of, values_to_save
from contacts.forms.field import FieldForm
from contacts.models import Contact
from integrations.automations.actions import people
from integrations.automations.actions.base import Action, CannotDo, Done, Plan, contact_of, short
from integrations.automations.inputs import Input
from integrations.automations.inputs import people as who_works_there
from integrations.automations.inputs import tags as known_tags

GROUP = lazy("Contact")


def words_of(tags: Any) -> list[str]:
    """A list, or a text with commas between."""
    listed = tags if isinstance(tags, list) else str(tags or "").split(",")
    return [clean for each in listed for part in str(each).split(",") if (clean := part.strip().lower())]


def quoted(tags):
    return ", ".join(f"“{short(tag)}”" for tag in tags) or "…"


def held(scene):
    """The contact, as it is when the step is done."""
    contact = contact_of(scene)
    rows = Contact.objects.select_for_update(no_key=True, of=["self"])
    return rows.select_related("location", "business", "owner").get(pk=contact.pk)


class AddTags(Action):
    key = "add_tags"
    label = lazy("Add tags")
    group = GROUP
    inputs = (Input("tags", lazy("Tags"), "tags", required=True, choices=known_tags),)

    def say(self, values, business=None):
        tags = words_of(values.get("tags"))
        return ngettext("add the tag %(tags)s", "add the tags %(tags)s", len(tags) or 1) % {"tags": quoted(tags)}

    def plan(self, values, scene):
        contact_of(scene)
        if not (tags := words_of(values.get("tags"))):
            raise CannotDo(_("There is no tag left once it is filled in."))
        return Plan(self.say(values), self.calls, lambda by: Done(self.act(held(scene), tags, by)))

    @staticmethod
    def act(contact, tags, by):
        return contact.add_tags(tags, by)


class RemoveTags(AddTags):
    key = "remove_tags"
    label = lazy("Remove tags")

    def say(self, values, business=None):
        tags = words_of(values.get("tags"))
        return ngettext("remove the tag %(tags)s", "remove the tags %(tags)s", len(tags) or 1) % {"tags": quoted(tags)}

    @staticmethod
    def act(contact, tags, by):
        return contact.remove_tags(tags, by)


class AssignOwner(Action):
    key = "assign_owner"
    label = lazy("Give the contact to somebody")
    group = GROUP
    inputs = (
        Input("owner", lazy("Owner"), "choice", required=True,
              choices=lambda business: [one for one in who_works_there(business) if one[0] != "owner"]),
    )  # fmt: skip

    def say(self, values, business=None):
        return _("make %(who)s the owner") % {"who": self.word("owner", values, business) or "…"}

    def plan(self, values, scene):
        owner = people.in_ghl(values.get("owner") or "", contact_of(scene))
        says = _("make %(who)s the owner") % {"who": owner or _("nobody")}
        return Plan(says, self.calls, lambda by: Done(held(scene).edit(by=by, owner=owner)))


class UpdateContact(Action):
    """`fields` is a list of {"field": "city", "value": "{{ event.city }}"}; a custom field goes by its key or name."""

    key = "update_contact"
    label = lazy("Change fields of the contact")
    group = GROUP
    inputs = (Input("fields", lazy("Fields"), "pairs", required=True, choices=lambda business: field_names(business)),)

    def check(self, values, business):
        found = super().check(values, business)
        for at, pair in enumerate(values.get("fields") or []):
            if not isinstance(pair, dict) or not str(pair.get("field") or "").strip():
                found.append((f"fields.{at}", _("Say which field.")))
            elif not is_known(pair["field"], business):
                found.append((f"fields.{at}", _("No field is called %(name)s.") % {"name": pair["field"]}))
        return found

    def say(self, values, business=None):
        pairs = [pair for pair in values.get("fields") or [] if isinstance(pair, dict)]
        parts = [f"{pair.get('field') or '…'} = “{short(pair.get('value'))}”" for pair in pairs]
        return _("set %(fields)s") % {"fields": ", ".join(parts) or "…"}

    def plan(self, values, scene):
        new_values(contact_of(scene), values.get("fields") or [])

        def act(by):
            contact = held(scene)
            return Done(contact.edit(by=by, **new_values(contact, values.get("fields") or [])))

        return Plan(self.say(values), self.calls, act)


def new_values(contact, pairs):
    """{name: value} for the contact's verbs, as the contact's page would take them. CannotDo says what not."""
    known, values = known_fields(contact), dict[str, Any]()
    for pair in pairs:
        field = known.get(str(pair["field"]).strip().casefold())
        if field is None:
            raise CannotDo(_("No field is called %(name)s.") % {"name": pair["field"]})
        if field.is_fixed or field.control in ("channels", "texts"):
            raise CannotDo(f"{field.label}: " + str(field.reason or _("Can be changed only in GHL.")))
        form = FieldForm(field, _typed(field, pair.get("value")))
        if not form.is_valid():
            raise CannotDo(f"{field.label}: {form.errors['value'][0]}")
        taken = values_to_save(contact, field, form.cleaned_data["value"])
        if field.is_custom:  # each brings all custom values: only its own counts
            kept = values.setdefault("custom_values", dict(contact.custom_values))
            kept.pop(field.key, None)
            kept |= {key: one for key, one in taken["custom_values"].items() if key == field.key}
        else:
            values |= taken
    return values


def known_fields(contact):
    """{what a field may be called: field}; custom ones by their key, with and without "contact.", or their name."""
    known: dict[str, Any] = {}
    custom = {f"custom-{one.pk}": one for one in contact.location.custom_fields.all()}
    for field in fields_of(contact):
        one = custom.get(field.slug)
        names = [one.key.removeprefix("contact."), one.key, one.remote_id, one.name] if one else [field.key]
        for name in names:
            known.setdefault(name.casefold(), field)
    return known


def field_names(business):
    """[(name, words)] of every field a contact of this business has."""
    found: dict[str, str] = {}
    for location in business.locations.all():
        custom = {f"custom-{one.pk}": one.key.removeprefix("contact.") for one in location.custom_fields.all()}
        for field in fields_of(Contact(location=location)):
            if not field.is_fixed and field.control not in ("channels", "texts"):
                found.setdefault(custom.get(field.slug) or field.key, str(field.label))
    return list(found.items())


def is_known(name, business):
    name = str(name).strip().casefold()
    return any(name in known_fields(Contact(location=location)) for location in business.locations.all())


def _typed(field, value):
    """As a form would bring it."""
    data = QueryDict(mutable=True)
    if field.control == "many" or isinstance(value, list):
        data.setlist("value", words_kept(value))
    else:
        data["value"] = "" if value is None else str(value)
    return data


def words_kept(value):
    listed = value if isinstance(value, list) else str(value or "").split(",")
    return [str(each).strip() for each in listed if str(each).strip()]
