"""Signing up, naming a business, inviting: what may be typed, and the sentence when it cannot be taken."""

import allauth.core.context
from django import forms
from django.contrib import messages
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Business, Role
from contacts.people import invitations


class SignupForm(forms.Form):
    """Extra fields of allauth's sign-up: a name, and a new Business unless an invitation brings the person in."""

    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )
    business = forms.CharField(
        label=gettext_lazy("Business"),
        max_length=120,
        help_text=gettext_lazy("The company whose customers you look after."),
        widget=forms.TextInput(attrs={"autocomplete": "organization", "dir": "auto"}),
    )

    field_order = ["name", "email", "password1", "business"]

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.invitation = invitations.kept(allauth.core.context.request)
        if self.invitation:
            del self.fields["business"]
            self.initial["email"] = self.invitation.email
            self.fields["email"].disabled = True  # what is sent for it does not count
            self.fields["email"].help_text = _("The invitation is for this address.")

    def signup(self, request, user):
        with transaction.atomic():
            user.name = self.cleaned_data["name"]
            user.save(update_fields=["name"])
            if self.invitation:
                if not invitations.accept(request, self.invitation, user):
                    messages.error(request, _("The invitation was withdrawn or used meanwhile. Ask for a new one."))
            else:
                Business.objects.create(name=self.cleaned_data["business"]).join(user, Role.ADMIN)


class BusinessForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name of the business"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "organization", "dir": "auto"}),
    )


class InviteForm(forms.Form):
    """Whom to let into one business."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "placeholder": "name@company.com"}),
        error_messages={"invalid": gettext_lazy("This is not an e-mail address: it needs a name, an @ and a domain.")},
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.STAFF)

    def __init__(self, data=None, *, business, **options):
        super().__init__(data, auto_id=f"id_invite_{business.pk}_%s", label_suffix="", **options)
        self.business = business

    def clean_email(self):
        email = self.cleaned_data["email"]
        if member := self.business.memberships.filter(user__email__iexact=email).select_related("user").first():
            raise forms.ValidationError(_("%(person)s is a member already.") % {"person": member.user})
        return email
