"""Adding a person: what may be typed, and the sentence when it cannot be taken."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from contacts.details import phones
from contacts.duplicates import same_person
from contacts.models import Contact, RemoteUser


class NewContactForm(forms.Form):
    """A person to add to one of the locations. `duplicates` finds who is there already."""

    location = forms.ChoiceField(label=gettext_lazy("GHL account"))
    first_name = forms.CharField(label=gettext_lazy("First name"), max_length=200, required=False)
    last_name = forms.CharField(label=gettext_lazy("Last name"), max_length=200, required=False)
    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        required=False,
        error_messages={"invalid": gettext_lazy("This is not an e-mail address: it needs a name, an @ and a domain.")},
    )
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=60, required=False)
    company_name = forms.CharField(label=gettext_lazy("Company"), max_length=300, required=False)
    owner = forms.ChoiceField(label=gettext_lazy("Owner"), required=False)
    tags = forms.CharField(
        label=gettext_lazy("Tags"),
        max_length=2000,
        required=False,
        help_text=gettext_lazy("Several are separated by commas."),
    )

    MAX_TAG = 200

    def __init__(self, data=None, *, locations, **options):
        super().__init__(data, **options)
        self.locations = {str(location.pk): location for location in locations}
        self.owners = {
            str(owner.pk): owner
            for owner in RemoteUser.objects.filter(location__in=locations, is_active=True).order_by("name", "pk")
        }
        self.fields["owner"].choices = [("", _("Nobody")), *self._owner_choices(locations)]
        self.fields["phone"].widget.input_type = "tel"
        for name in ("first_name", "last_name", "company_name", "tags"):
            self.fields[name].widget.attrs["dir"] = "auto"
        self.fields["tags"].widget.attrs |= {"list": "tag-words", "autocomplete": "off"}
        if len(locations) == 1:
            del self.fields["location"]
        else:
            self.fields["location"].choices = [(pk, self._name(one)) for pk, one in self.locations.items()]

    def _owner_choices(self, locations):
        of = {one.pk: [(pk, str(o)) for pk, o in self.owners.items() if o.location_id == one.pk] for one in locations}
        if len(locations) == 1:
            return of[locations[0].pk]
        return [(self._name(location), of[location.pk]) for location in locations if of[location.pk]]

    @staticmethod
    def _name(location):
        business = str(location.business)
        return business if str(location) == business else f"{business}, {location}"

    def clean_tags(self):
        tags = dict.fromkeys(tag.strip().lower() for tag in self.cleaned_data["tags"].split(","))
        tags.pop("", None)
        if any(len(tag) > self.MAX_TAG for tag in tags):
            words = ngettext(
                "A tag can have %(count)s letter at most.", "A tag can have %(count)s letters at most.", self.MAX_TAG
            )
            raise forms.ValidationError(words % {"count": self.MAX_TAG})
        return sorted(tags)

    def clean(self):
        data = super().clean()
        location = self.chosen_location
        if location is None:
            return data
        if phone := data.get("phone"):
            data["phone"] = phones.e164(phone, phones.region_of(location))
            if not data["phone"]:
                self.add_error("phone", _("This cannot be a phone number: check how many digits it has."))
        owner = self.owners.get(data.get("owner", ""))
        if owner and owner.location_id != location.pk:
            words = _("%(person)s does not work in %(location)s. Choose somebody who does.")
            self.add_error("owner", words % {"person": owner, "location": location})
        data["owner"] = owner
        if not self.errors and not any(data.get(name) for name in ("first_name", "last_name", "email", "phone")):
            raise forms.ValidationError(_("A contact needs a name, an e-mail address or a phone number."))
        return data

    @property
    def chosen_location(self):
        """The chosen location; the only one when there is nothing to choose."""
        if "location" not in self.fields:
            return next(iter(self.locations.values()))
        return self.locations.get(self.cleaned_data.get("location", ""))

    def duplicates(self):
        """Contacts of the location with this e-mail address or this phone number."""
        location = self.chosen_location
        there = Contact.objects.present().filter(business=location.business_id, location=location)
        return [one.contact for one in same_person.with_reach(there.select_related("location"), self.contact())]

    def contact(self):
        """The new contact, not yet saved."""
        kept = ("first_name", "last_name", "email", "phone", "company_name", "owner", "tags")
        return Contact(location=self.chosen_location, **{name: self.cleaned_data[name] for name in kept})
