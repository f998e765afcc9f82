"""What lets an ERP in, and how its customers are recognised: for admins."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts import access
from contacts.models import Business, CustomField
from integrations.models import ApiKey, Matching, OutgoingHook, Scope

NOBODY = ""


class KeyForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Name"), max_length=80, help_text=gettext_lazy("The history says that this has done it.")
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=Scope.choices,
        initial=Scope.values,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"required": gettext_lazy("A key that may do nothing is of no use: tick at least one.")},
    )

    def __init__(self, user, data=None, **options):
        super().__init__(data, label_suffix="", **options)
        mine = Business.objects.administered_by(user)
        if len(mine) > 1:
            chosen = forms.ModelChoiceField(mine, label=_("Business"), empty_label=None)
            self.fields = {"business": chosen, **self.fields}
        self.only = mine[0] if len(mine) == 1 else None

    @property
    def business(self):
        return self.only or self.cleaned_data["business"]


class MatchingForm(forms.Form):
    """Which of what the ERP tells is looked for first, second and third."""

    def __init__(self, business, data=None, **options):
        super().__init__(data, label_suffix="", **options)
        self.business, self.kept = business, Matching.of(business)
        ways = [(NOBODY, _("Nothing")), *Matching.By.choices]
        for place, label in enumerate((_("Look first for the"), _("then for the"), _("and then for the"))):
            initial = self.kept.order[place] if place < len(self.kept.order) else NOBODY
            self.fields[f"way_{place}"] = forms.ChoiceField(label=label, choices=ways, required=False, initial=initial)
        fields = CustomField.objects.of_business(business).exclude(key="").order_by("name")
        named = {one.key: one.name for one in fields}
        self.fields["field"] = forms.ChoiceField(
            label=_("Custom field that holds the ERP’s reference"),
            choices=[(NOBODY, _("None")), *named.items()],
            required=False,
            initial=self.kept.field,
        )

    @property
    def order(self):
        ways = [self.cleaned_data.get(f"way_{place}", NOBODY) for place in range(3)]
        return [way for way in dict.fromkeys(ways) if way]

    def clean(self):
        if Matching.By.FIELD in self.order and not self.cleaned_data.get("field"):
            self.add_error("field", _("Choose the custom field to look in."))
        return self.cleaned_data

    def save(self):
        kept = {"order": self.order, "field": self.cleaned_data["field"]}
        Matching.objects.update_or_create(business=self.business, defaults=kept)


@require_safe
@login_required
def erp(request):
    businesses = administered(request)
    keys = ApiKey.objects.filter(business__in=businesses).prefetch_related("replaced_by").order_by("-created_at", "-pk")
    hooks = list(OutgoingHook.objects.administered_by(request.user).filter(business__in=businesses))
    sections = [
        {
            "business": business,
            "hooks": [hook for hook in hooks if hook.business_id == business.pk],
            "keys": [key for key in keys if key.business_id == business.pk],
            "ways": [Matching.By(way).label for way in Matching.of(business).order],
        }
        for business in businesses
    ]
    api = request.build_absolute_uri(reverse("integrations:erp-api:openapi-json"))
    return render(request, "integrations/erp.html", {"sections": sections, "document": api})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def new_key(request):
    administered(request)
    form = KeyForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        return told(request, *ApiKey.objects.make(form.business, values["name"], values["scopes"], request.user))
    return render(request, "integrations/erp_key.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@login_required
def rotate_key(request, pk):
    key = mine(request, pk)
    if key.revoked_at:
        messages.error(request, _("A revoked key cannot be rotated. Make a new one."))
        return redirect("integrations:erp")
    return told(request, *key.rotate(request.user))


@require_POST
@login_required
def revoke_key(request, pk):
    key = mine(request, pk)
    if key.revoke(request.user):
        messages.success(
            request, _("%(key)s is revoked. Requests with it are refused from now on.") % {"key": key.name}
        )
    return redirect("integrations:erp")


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def matching(request, pk):
    business = get_object_or_404(Business.objects.administered_by(request.user), pk=pk)
    form = MatchingForm(business, request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved. It holds for customers that are not linked yet."))
        return redirect("integrations:erp")
    context = {"form": form, "business": business}
    return render(request, "integrations/erp_matching.html", context, status=422 if form.errors else 200)


def told(request, key, token, secret):
    """The one page that ever shows them; no cache keeps it."""
    context = {"key": key, "token": token, "secret": secret}
    response = render(request, "integrations/erp_key_made.html", context)
    response["Cache-Control"] = "no-store"
    return response


def administered(request):
    """The businesses the user administers, of the chosen one alone if it is among them; lesser roles find nothing."""
    businesses = list(Business.objects.administered_by(request.user))
    if not businesses:
        raise Http404
    chosen = access.current_business(request)
    return [chosen] if chosen in businesses else businesses


def mine(request, pk):
    return access.administered_or_404(request.user, ApiKey.objects.select_related("business"), pk=pk)
