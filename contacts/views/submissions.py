"""One form counts once, however often the browser sends it: twice in a hurry, or again after Back."""

import uuid

from contacts.models import Change


def submission_of(request):
    """The number the form was given when it was shown; None for a form without one."""
    try:
        return uuid.UUID(request.POST.get("submission", ""))
    except ValueError:
        return None


def was_saved(user, contact, kind, submission, **words):
    """Whether just this has come in already. The same form with other words is a new thing: Back was pressed.

    The caller holds the contact, so that of two posts at once the second one waits here for the first.
    """
    made = Change.objects.filter(made_by=user, submission=submission, contact=contact, kind=kind)
    values = made.values_list("values", flat=True).first() if submission else None
    return values is not None and all((values.get(key) or "") == (word or "") for key, word in words.items())


def free(submission, user):
    """The number if it can still be given to a change."""
    taken = Change.objects.filter(made_by=user, submission=submission).exists()
    return None if taken else submission
