from django.utils.translation import gettext as _

from contacts.forms.contact import TagForm
from contacts.views import page
from contacts.views.acts import contact_to_edit, done, edits

PART = "contacts/_contact_tags.html"


@edits
def add_tags(request, pk):
    """One tag, or several separated by commas."""
    contact = contact_to_edit(request, pk)
    form = TagForm(request.POST)
    if not form.is_valid():
        return page.refused(request, contact, PART, {"contact": contact, **page.tags(contact), "tag_form": form})
    contact.add_tags(form.cleaned_data["tag"], by=request.user)
    return tags_now(request, contact, _("Tag added"))


@edits
def remove_tag(request, pk):
    contact = contact_to_edit(request, pk)
    contact.remove_tags([request.POST.get("tag", "")], by=request.user)
    return tags_now(request, contact, _("Tag removed"))


def tags_now(request, contact, said):
    return done(request, contact, PART, {"contact": contact, **page.tags(contact), "said": said})
