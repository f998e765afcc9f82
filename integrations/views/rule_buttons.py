"""Rules that somebody starts by hand from a contact's page, which holds a place for their buttons."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts.views import acts
from integrations.automations import feeding
from integrations.models import Automations

MOST_SHOWN = 2  # the others are in a menu


@require_safe
@login_required
def contact_rules(request, pk):
    contact = acts.contact_or_404(request, pk)
    rules = feeding.buttons_for(contact)
    most = MOST_SHOWN if len(rules) <= MOST_SHOWN else 0
    context = {"contact": contact, "shown": rules[:most], "others": rules[most:]}
    return render(request, "integrations/rules/_buttons.html", context)


@acts.edits
def press_rule(request, pk, rule_pk):
    """Whoever may edit the contact may start what an admin has put on its page."""
    contact = acts.contact_to_edit(request, pk)
    rule = next((one for one in feeding.buttons_for(contact) if one.pk == rule_pk), None)
    if rule is None:
        messages.error(request, _("This button is not there any more."))
    else:
        feeding.press(rule, contact, request.user)
        if Automations.of(contact.business).is_paused:
            messages.warning(request, _("Automations are paused: it is done when they go on."))
        else:
            messages.success(request, _("Started. What it does appears in the history."))
    return HttpResponse() if request.htmx else redirect(contact)
