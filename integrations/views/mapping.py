"""Which field of the ERP becomes which of a contact, version by version: for admins of the business."""

import re
from itertools import pairwise

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from contacts import access
from contacts.models import Business
from integrations.mapping import preview, spec, suggest
from integrations.mapping.difference import differences
from integrations.mapping.lines import check, read_all
from integrations.mapping.targets import targets_of
from integrations.models import FieldMapping
from integrations.models.not_ready import NotReady

VERSIONS = 50  # shown, the newest first
LISTED = 50  # rows of a dry run that are open to read
COUNTS = (20, 50, 200)
EXAMPLE = '{"reference": "CUST-1042", "first_name": "Marisol", "email": "marisol@example.com", "fields": {"tier": "A"}}'


@require_safe
@login_required
def mappings(request, pk):
    """The versions of a business, and how to get to the next."""
    business = _business(request, pk)
    versions = list(
        business.field_mappings.select_related("made_by", "activated_by", "previewed_by", "made_from")[: VERSIONS + 1]
    )
    targets = targets_of(business)
    for newer, older in pairwise(versions):
        newer.older = older
        newer.differences = differences(read_all(older.lines), read_all(newer.lines), targets)
    context = {
        "business": business,
        "versions": versions[:VERSIONS],
        "active": next((one for one in versions if one.is_active), None),
        "open": next((one for one in versions if one.is_open), None),
    }
    return render(request, "integrations/mappings.html", context)


@require_POST
@login_required
def begin(request, pk):
    """A draft: of the version named, else of what holds today."""
    business = _business(request, pk)
    if named := request.POST.get("version", ""):
        old = get_object_or_404(business.field_mappings, pk=int(named) if named.isdecimal() and len(named) < 19 else 0)
    else:
        old = FieldMapping.active_of(business)
    lines = old.lines if old else [one.told() for one in suggest.starting_lines(business, targets_of(business))]
    draft = FieldMapping.begin(business, lines, request.user, made_from=old)
    return redirect("integrations:mapping", draft.pk)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bring_in(request, pk):
    """A draft of a file."""
    business = _business(request, pk)
    problems, text = [], ""
    if request.method == "POST":
        try:
            text = _text_of(request)
            lines = spec.read(text, targets_of(business))
        except spec.BadSpec as bad:
            problems = bad.sentences
        else:
            draft = FieldMapping.begin(business, [one.told() for one in lines], request.user)
            messages.success(request, _("Imported as version %(number)d.") % {"number": draft.number})
            return redirect("integrations:mapping", draft.pk)
    context = {"business": business, "problems": problems[:20], "text": text}
    return render(request, "integrations/mapping_import.html", context, status=422 if problems else 200)


@require_safe
@login_required
def export(request, pk):
    version = mine(request, pk)
    form = "json" if request.GET.get("form") == "json" else "yaml"
    name = re.sub(r"[^a-z0-9]+", "-", version.business.name.lower()).strip("-") or "business"
    answer = HttpResponse(
        spec.written(read_all(version.lines), form), content_type=f"{spec.FORMS[form]}; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="mapping-{name}-v{version.number}.{form}"'
    return answer


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def try_out(request, pk):
    """A dry run; having seen it is what lets the version become active."""
    version = mine(request, pk)
    problems = check(read_all(version.lines), targets_of(version.business))
    chosen = {"source": request.POST.get("source", "last"), "count": 50, "text": request.POST.get("text", "")}
    if request.POST.get("count") in map(str, COUNTS):
        chosen["count"] = int(request.POST["count"])
    context = {
        "mapping": version, "business": version.business, "problems": problems, "chosen": chosen, "counts": COUNTS,
        "example": EXAMPLE, "has_events": bool(preview.last_events(version.business, 1)),
    }  # fmt: skip
    if request.method != "POST" or problems:
        return render(request, "integrations/mapping_preview.html", context, status=409 if request.POST else 200)
    try:
        events = _events(version.business, chosen)
    except preview.BadData as bad:
        context["objection"] = str(bad)
        return render(request, "integrations/mapping_preview.html", context, status=422)
    shown = preview.dry_run(version, events)
    if version.is_open:
        version.tried(request.user, version.mark)
        version.refresh_from_db()
    context |= {"preview": shown, "rows": shown.rows[:LISTED], "more": shown.rows[LISTED:]}
    return render(request, "integrations/mapping_preview.html", context)


@require_POST
@login_required
def activate(request, pk):
    """The one click: forward to a version that was tried out, or back to one that was."""
    version = mine(request, pk)
    try:
        version.activate(request.user)
    except NotReady as why:
        messages.error(request, str(why))
        return redirect("integrations:mapping_preview" if version.is_open else "integrations:mapping", pk)
    messages.success(request, _("Version %(number)d holds from now on.") % {"number": version.number})
    return redirect("integrations:mappings", version.business_id)


@require_POST
@login_required
def put_away(request, pk):
    version = mine(request, pk)
    words = _("Version %(number)d is put away. It stays in the list.")
    if version.is_active:
        words = _("Version %(number)d is no longer used. Fields go by their names until another holds.")
    if version.is_open or version.is_active:
        version.retire()
        messages.success(request, words % {"number": version.number})
    return redirect("integrations:mappings", version.business_id)


def mine(request, pk):
    rows = FieldMapping.objects.select_related("business", "made_by", "previewed_by", "activated_by")
    return access.administered_or_404(request.user, rows, pk=pk)


def _business(request, pk):
    return get_object_or_404(Business.objects.administered_by(request.user), pk=pk)


def _text_of(request):
    """What was uploaded, else what was pasted."""
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("text", "")
    if file.size > spec.LONGEST:
        raise spec.BadSpec([_("This file is too long for a mapping.")])
    try:
        return file.read().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise spec.BadSpec([_("This file is no text in UTF-8.")]) from None


def _events(business, chosen):
    if chosen["source"] == "pasted":
        return preview.pasted(business, chosen["text"])
    events = preview.last_events(business, chosen["count"])
    if not events:
        raise preview.BadData(_("The ERP has sent nothing yet. Paste test data instead."))
    return events
