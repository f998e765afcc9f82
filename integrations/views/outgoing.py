"""Addresses of an ERP that are told what happens here, and what became of each message: for admins."""

import json
import uuid
from datetime import timedelta

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts import access
from contacts.models import Business
from contacts.paging import Order, page_of
from integrations import crypto, tasks
from integrations.models import OutgoingDelivery, OutgoingHook
from integrations.outgoing import kinds, post, post_office, replay
from integrations.views.erp_keys import administered
from rankr_dash.htmx import answer

PAGE = 50
MOST_COUNTED = 1000
BY_TIME = Order("created_at", "", descending=True, is_time=True)  # no menu names it
State = OutgoingDelivery.State
TABS = {
    "": (gettext_lazy("All"), []),
    "waiting": (gettext_lazy("Waiting"), [State.WAITING, State.RETRYING]),
    "delivered": (gettext_lazy("Delivered"), [State.DELIVERED]),
    "dead": (gettext_lazy("Given up"), [State.DEAD]),
}
PERIODS = {
    "1": gettext_lazy("the last hour"),
    "24": gettext_lazy("the last 24 hours"),
    "168": gettext_lazy("the last 7 days"),
    "720": gettext_lazy("the last 30 days"),
}


class HookForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("For you, e.g. Rankr ERP.")
    )
    url = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=500,
        widget=forms.TextInput(attrs={"inputmode": "url", "placeholder": "https://", "autocomplete": "off"}),
        help_text=gettext_lazy("Where the ERP listens for POST requests."),
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("What it is told of"),
        choices=[(kind, kind) for kind in kinds.ALL],
        initial=kinds.ALL,
        error_messages={"required": gettext_lazy("An address that is told nothing is of no use: tick at least one.")},
    )
    hears_own_effects = forms.BooleanField(
        label=gettext_lazy("Also what rules did because the ERP told us something"),
        required=False,
        help_text=gettext_lazy("What the ERP did itself is never told back to it."),
    )

    def __init__(self, businesses, data=None, **options):
        super().__init__(data, label_suffix="", **options)
        self.only = businesses[0] if len(businesses) == 1 else None
        if self.only is None and businesses:
            mine = Business.objects.filter(pk__in=[one.pk for one in businesses])
            chosen = forms.ModelChoiceField(mine, label=_("Business"), empty_label=None)
            self.fields = {"business": chosen, **self.fields}

    @property
    def business(self):
        return self.only or self.cleaned_data["business"]

    @property
    def groups(self):
        """(label, [(kind, words, whether it is ticked)]) as they stand on the page."""
        ticked = self["kinds"].value() or []
        return [
            (label, [(kind, words, kind in ticked) for kind, words in members.items()])
            for label, members in kinds.GROUPS
        ]

    def clean_url(self):
        url = self.cleaned_data["url"]
        try:
            post_office.check(url)
        except post_office.NotAllowed as refusal:
            raise forms.ValidationError(str(refusal)) from None
        return url

    @property
    def values(self):
        """All of them ticked means whatever there will be."""
        named = {name: self.cleaned_data[name] for name in ("name", "url", "hears_own_effects")}
        chosen = self.cleaned_data["kinds"]
        return {**named, "kinds": [] if set(chosen) == set(kinds.ALL) else chosen}


@require_safe
@login_required
def hooks(request):
    businesses = administered(request)
    rows = OutgoingHook.objects.filter(business__in=businesses, removed_at=None).order_by("-is_on", "name", "pk")
    sections = [(business, [row for row in rows if row.business_id == business.pk]) for business in businesses]
    return render(request, "integrations/outgoing.html", {"sections": sections})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new(request):
    businesses = list(Business.objects.administered_by(request.user))
    if not businesses:
        raise Http404
    form = HookForm(businesses, request.POST or None)
    if request.method == "POST" and form.is_valid():
        return told(request, OutgoingHook.objects.make(form.business, request.user, **form.values))
    return render(request, "integrations/outgoing_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def edit(request, pk):
    hook = mine(request, pk)
    initial = {
        "name": hook.name, "url": hook.url, "kinds": hook.kinds or kinds.ALL,
        "hears_own_effects": hook.hears_own_effects,
    }  # fmt: skip
    form = HookForm([hook.business], request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        hook.change(request.user, **form.values)
        messages.success(request, _("Saved. It holds for what happens from now on."))
        return redirect("integrations:outgoing_hook", hook.pk)
    context = {"form": form, "hook": hook}
    return render(request, "integrations/outgoing_form.html", context, status=422 if form.errors else 200)


@require_safe
@login_required
def hook(request, pk):
    hook = mine(request, pk)
    tab = request.GET.get("state", "")
    if tab not in TABS:
        raise Http404
    rows = hook.deliveries.all()
    if states := TABS[tab][1]:
        rows = rows.filter(state__in=states)
    page = page_of(rows, BY_TIME, request.GET.get("after", ""), PAGE, None, spoken)
    more = {"state": tab, "after": page.after} if tab else {"after": page.after}
    context = {
        "hook": hook, "deliveries": page.rows, "tab": tab, "tabs": [(key, label) for key, (label, _s) in TABS.items()],
        "more": urlencode(more) if page.after else "",
    }  # fmt: skip
    if not page.is_first and request.headers.get("HX-Target") == "list-more":
        return render(request, "integrations/_outgoing_rows.html", context)
    failed = hook.deliveries.failed().values("pk")[: MOST_COUNTED + 1].count()
    context |= {
        "failed": failed,
        "failed_words": f"{MOST_COUNTED:,}+" if failed > MOST_COUNTED else f"{failed:,}",
        "groups": in_words(hook),
        "several": len(access.businesses_of(request)) > 1,
        "periods": PERIODS,
    }
    return render(request, "integrations/outgoing_hook.html", context)


@require_POST
@login_required
def rotate(request, pk):
    hook = mine(request, pk)
    try:
        hook.rotate(request.user)
    except crypto.CannotOpen:
        messages.error(request, _("The old secret cannot be read any more. Make a new webhook instead."))
        return redirect("integrations:outgoing_hook", hook.pk)
    return told(request, hook)


@require_POST
@login_required
def test(request, pk):
    hook = mine(request, pk)
    if not hook.is_on:
        messages.error(request, _("It is switched off. Switch it on first."))
        return redirect("integrations:outgoing_hook", hook.pk)
    data = {"message": "This is a test.", "by": {"kind": "person", "name": str(request.user)}}
    sent = post(hook, kinds.TEST, data, cause=f"test {uuid.uuid4()}")
    hurry(hook)
    return redirect("integrations:outgoing_delivery", sent.pk)


@require_POST
@login_required
def switch_on(request, pk):
    hook = mine(request, pk)
    if hook.switch_on(request.user):
        messages.success(request, _("%(name)s is told what happens from now on.") % {"name": hook.name})
    return redirect("integrations:outgoing_hook", hook.pk)


@require_POST
@login_required
def switch_off(request, pk):
    hook = mine(request, pk)
    if hook.switch_off(request.user):
        messages.success(request, _("%(name)s is told nothing any more.") % {"name": hook.name})
    return redirect("integrations:outgoing_hook", hook.pk)


@require_POST
@login_required
def remove(request, pk):
    hook = mine(request, pk)
    if hook.remove(request.user):
        messages.success(request, _("%(name)s is removed.") % {"name": hook.name})
    return redirect("integrations:outgoing")


@require_POST
@login_required
def retry_all(request, pk):
    hook = mine(request, pk)
    again = hook.deliveries.failed().send_again()
    hurry(hook)
    words = ngettext("%(n)s message is sent again.", "%(n)s messages are sent again.", again)
    messages.success(request, words % {"n": f"{again:,}"})
    return redirect("integrations:outgoing_hook", hook.pk)


@require_POST
@login_required
def replay_since(request, pk):
    hook = mine(request, pk)
    hours = request.POST.get("hours", "24")
    if hours not in PERIODS:
        raise Http404
    if not hook.is_on:
        messages.error(request, _("It is switched off. Switch it on first."))
        return redirect("integrations:outgoing_hook", hook.pk)
    replay.start(hook, timezone.now() - timedelta(hours=int(hours)))
    hurry(hook)
    messages.success(request, _("All that happened in %(time)s is told once more.") % {"time": PERIODS[hours]})
    return redirect("integrations:outgoing_hook", hook.pk)


@require_safe
@login_required
def delivery(request, pk):
    """What was sent and what came back; it looks again until it has arrived or is put off."""
    rows = OutgoingDelivery.objects.select_related("hook__business")
    row = access.administered_or_404(request.user, rows, pk=pk)
    context = {"row": row, "hook": row.hook, "body": json.dumps(json.loads(row.body), indent=2, ensure_ascii=False)}
    context["is_expected"] = row.state == State.WAITING and row.hook.is_on and row.hook.rests_until <= timezone.now()
    return answer(request, "integrations/outgoing_delivery.html", context, part="integrations/_outgoing_delivery.html")


@require_POST
@login_required
def retry(request, pk):
    row = access.administered_or_404(request.user, OutgoingDelivery.objects.select_related("hook"), pk=pk)
    OutgoingDelivery.objects.filter(pk=row.pk).send_again()
    hurry(row.hook)
    return redirect("integrations:outgoing_delivery", row.pk)


def hurry(hook):
    hook.wake()
    tasks.ring(tasks.tell_outgoing, hook.pk)


def told(request, hook):
    """The one page that ever shows the secret; no cache keeps it."""
    response = render(request, "integrations/outgoing_secret.html", {"hook": hook})
    response["Cache-Control"] = "no-store"
    return response


def mine(request, pk):
    rows = OutgoingHook.objects.select_related("business", "made_by", "changed_by")
    return access.administered_or_404(request.user, rows, pk=pk)


def spoken(rows):
    """With whom each is about, as the message itself says."""
    rows = list(rows)
    for row in rows:
        about = json.loads(row.body)["data"].get("contact")
        row.about = about if isinstance(about, dict) else {}
    return rows


def in_words(hook):
    """[(group, "created, updated")] of what it hears; empty when that is everything."""
    if not hook.kinds:
        return []
    heard = [
        (label, [str(words) for kind, words in members.items() if kind in hook.kinds])
        for label, members in kinds.GROUPS
    ]
    return [(label, ", ".join(words)) for label, words in heard if words]
