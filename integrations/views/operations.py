"""What GHL can be asked to do and what it tells, to look up and to try: admins only; for others it does not exist."""

import json

from django.contrib.auth.decorators import login_required
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from contacts import access
from contacts.models import Business
from integrations import tasks
from integrations.catalogue import entries, executor
from integrations.catalogue.titles import label_of
from integrations.catalogue.trying import TryForm
from integrations.catalogue.values import BadValues, build, kind_of
from integrations.models import Connection, OperationRun
from rankr_dash.htmx import answer


@login_required
@require_safe
def operations(request):
    """The whole catalogue in one list: it is data of ours and does not grow with anybody's business."""
    connections = _connections(request)
    connection = _chosen(request, connections)
    text, only, scope = (request.GET.get(name, "") for name in ("find", "only", "scope"))
    found = entries.find(text[:200], only, scope)
    context = {
        "rows": [(each, _why_not(each, connection)) for each in found],
        "count": len(found),
        "actions": sum(not each.is_trigger for each in found),
        "find": text, "only": only, "scope": scope,
        "scopes": entries.scopes(),
        "connections": connections,
        "connection": connection,
    }  # fmt: skip
    return answer(request, "integrations/operations.html", context, part="integrations/_operations.html")


@login_required
def operation(request, key):
    """One action; posted, it is tried on the sandbox."""
    connections = _connections(request)
    found = entries.operation(key)
    if found is None:
        raise Http404
    connection = _chosen(request, connections)
    reason = entries.why_not(found, connection)
    form = TryForm(found, request.POST if request.method == "POST" else None)
    may_try = executor.is_sandbox() and not reason
    context = {
        "operation": found, "connection": connection, "connections": connections, "reason": reason,
        "form": form, "may_try": may_try, "is_sandbox": executor.is_sandbox(),
        "parameters": _parameters(found), "schema": json.dumps(found.body, indent=2) if found.body else "",
    }  # fmt: skip
    if request.method != "POST":
        return render(request, "integrations/operation.html", context)
    if not may_try:
        context["refusal"] = reason or _("Nothing was sent: this server speaks to the real GHL, not to the sandbox.")
        return render(request, "integrations/operation.html", context, status=409)
    try:
        build(found, form.values(), connection.location.remote_id)
    except BadValues as bad:
        form.take(bad.problems)
        return render(request, "integrations/operation.html", context, status=422)
    run = executor.ask(connection, key, form.values(), by=request.user)
    tasks.ring(tasks.run_operation, run.pk)
    return redirect("integrations:operation_run", run.pk)


@login_required
@require_safe
def operation_run(request, pk):
    """What was sent and what came back; it looks again until there is an answer."""
    rows = OperationRun.objects.select_related("connection__location")
    run = access.administered_or_404(request.user, rows, pk=pk)
    found = entries.operation(run.key)
    try:
        asked = build(found, run.values, run.connection.location.remote_id) if found else None
    except BadValues:
        asked = None
    context = {
        "run": run, "operation": found, "asked": asked,
        "body": json.dumps(asked.json, indent=2, ensure_ascii=False) if asked and asked.json else "",
        "answer": json.dumps(run.answer, indent=2, ensure_ascii=False) if run.answer else "",
        "exchange": json.dumps(run.exchange, indent=2, ensure_ascii=False) if run.exchange else "",
    }  # fmt: skip
    return answer(request, "integrations/operation_run.html", context, part="integrations/_operation_run.html")


@login_required
@require_safe
def trigger(request, kind):
    _connections(request)
    found = entries.trigger(kind)
    if found is None:
        raise Http404
    context = {
        "trigger": found,
        "fields": _fields(found.fields),
        "sample": json.dumps(found.sample, indent=2),
    }
    return render(request, "integrations/trigger.html", context)


def _connections(request):
    """The connections of the businesses this request is about. 404 for whoever is no admin there."""
    administered = Connection.objects.administered_by(request.user).select_related("location__business")
    if not Business.objects.administered_by(request.user).exists():
        raise Http404
    business = access.current_business(request)
    if business:
        administered = administered.filter(location__business=business)
    return list(administered.order_by("location__name", "pk"))


def _chosen(request, connections):
    """Through whose eyes: the connection asked for, else the first. None when there is none."""
    wanted = request.POST.get("connection") or request.GET.get("connection", "")
    if not wanted:
        return connections[0] if connections else None
    found = next((each for each in connections if str(each.pk) == wanted), None)
    if found is None:
        raise Http404
    return found


def _why_not(entry, connection):
    """A trigger needs no scope of its own, but GHL tells nothing to a Private Integration Token."""
    if not entry.is_trigger:
        return entries.why_not(entry, connection)
    if connection is None:
        return _("No location is connected.")
    return _("A Private Integration Token is told nothing by GHL.") if connection.is_static else ""


def _parameters(operation):
    """(label, name, where, what it must be, whether it must be there, choices) of everything that can be said."""
    ours = set(operation.location)
    rows = [
        (each.label, each.name, each.where, kind_of(each.schema), each.required, each.schema.get("enum"),
         (each.where, each.name) in ours)
        for each in operation.parameters
    ]  # fmt: skip
    required = (operation.body or {}).get("required", [])
    for name, schema in (operation.body or {}).get("properties", {}).items():
        rows.append(
            (label_of(name), name, "body", kind_of(schema), name in required, schema.get("enum"),
             ("body", name) in ours)
        )  # fmt: skip
    return rows


def _fields(fields, before=""):
    """(way, type) of every field of a payload."""
    for name, kind in fields.items():
        if isinstance(kind, dict):
            yield from _fields(kind, f"{before}{name}.")
        else:
            yield f"{before}{name}", _("list") if isinstance(kind, list) else kind
