"""The bell: what rings now, heard once, put off or put away."""

from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from contacts.day import reminders as due_reminders
from contacts.models import Reminder
from contacts.views.acts import tell
from rankr_dash.htmx import wants_part

CHANGED = ["reminders-changed"]


@require_safe
@login_required
def reminders(request):
    if not wants_part(request):
        return redirect("contacts:today")
    now = timezone.now()
    rows, fresh = due_reminders.tell(request.user, now)
    is_morning = any(not (row.task_id or row.text) for row in rows)
    late, today = due_reminders.counts(request.user, now) if is_morning else (0, 0)
    return render(request, "ui/_bell.html", {"rows": rows, "fresh": fresh, "late": late, "today": today})


@require_POST
@login_required
def snooze(request, pk):
    reminder_or_404(request, pk).snooze(timezone.now())
    return answered(request)


@require_POST
@login_required
def close(request, pk):
    reminder_or_404(request, pk).close(timezone.now())
    return answered(request)


def reminder_or_404(request, pk):
    return get_object_or_404(Reminder.objects.of(request.user).distinct(), pk=pk)


def answered(request):
    return tell(HttpResponse(), CHANGED) if wants_part(request) else redirect("contacts:today")
