from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from contacts import signals
from contacts.forms.contact import OwnerForm
from contacts.models import Contact, ContactView, Mention
from contacts.views import page
from contacts.views.acts import contact_or_404, contact_to_edit, done, edits


@require_safe
@login_required
def contact(request, pk):
    contact = contact_or_404(request, pk)
    signals.contact_opened.send(sender=Contact, contact=contact)
    ContactView.look(request.user, contact)
    Mention.objects.filter(user=request.user, contact=contact).see()
    return render(request, "contacts/contact.html", page.context(request, contact))


@require_safe
@login_required
def title(request, pk):
    contact = contact_or_404(request, pk)
    return render(request, "contacts/_contact_title.html", {"contact": contact})


@require_safe
@login_required
def state(request, pk):
    """What is overdue, what comes next; and what says so elsewhere: a phone's tab, the banner of one that is gone."""
    contact = contact_or_404(request, pk)
    context = {"contact": contact, **page.state(contact), "is_part": True}
    return render(request, "contacts/_contact_state.html", context)


@require_safe
@login_required
def meta(request, pk):
    """Under the name: business, owner, tags."""
    contact = contact_or_404(request, pk)
    context = {"contact": contact, **page.owner(contact), **page.tags(contact)}
    return render(request, "contacts/_contact_meta.html", context)


@edits
def owner(request, pk):
    contact = contact_to_edit(request, pk)
    form = OwnerForm(request.POST, location=contact.location, chosen=contact.owner)
    if form.is_valid():
        contact.edit(by=request.user, owner=form.cleaned_data["assignee"])
    context = {"contact": contact, **page.owner(contact), "owner_form": form}
    if not form.is_valid():
        return page.refused(request, contact, "contacts/_contact_owner.html", context)
    return done(request, contact, "contacts/_contact_owner.html", context | {"said": _("Owner saved")})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def delete(request, pk):
    """GHL cannot give a contact back, so this one deletion asks first."""
    contact = contact_or_404(request, pk)
    if request.method != "POST":
        return render(request, "contacts/contact_delete.html", {"contact": contact, **page.counts(contact)})
    return delete_now(request, pk=pk)


@edits
def delete_now(request, pk):
    contact = contact_to_edit(request, pk)
    contact.delete_here(by=request.user, undo_s=settings.UNDO_S)
    return redirect(contact)
