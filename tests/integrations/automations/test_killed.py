"""A worker may be killed at any point of a run: no step is done twice, and none is lost."""

import pytest
from django.utils import timezone

from contacts.models import Note, Reminder
from integrations.automations import feeding, running
from integrations.models import OperationRun, RuleRun
from tests.integrations.automations.conftest import hurry, kinds, switched_on, work
from tests.integrations.delivering import somebody, writes

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = (
    {"do": "add_tags", "values": {"tags": ["late"]}},
    {"do": "create_note", "values": {"body": "Overdue."}},
    {"do": "notify", "values": {"who": "admins", "text": "Look"}},
)
POINTS = 9  # so often a run of these steps writes to its row


class Killer:
    """Ends the worker right before or right after the n-th time that it writes to the run's row."""

    def __init__(self, monkeypatch, at, before):
        self.left, self.before = at, before
        for name in ("keep", "hand_in"):
            monkeypatch.setattr(RuleRun, name, self.around(getattr(RuleRun, name)))

    def around(self, write):
        def killing(row, **values):
            self.left -= 1
            if self.left == 0 and self.before:
                raise SystemExit
            write(row, **values)
            if self.left == 0:
                raise SystemExit

        return killing


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("at", range(1, POINTS + 1))
def test_killed_anywhere(at, before, contact, northgate, ada, monkeypatch):
    switched_on(northgate, {"kind": "button", "label": "Go"}, *STEPS)
    run = feeding.press(northgate.rules.get(), contact, ada)
    with monkeypatch.context() as dying:
        Killer(dying, at, before)
        with pytest.raises(SystemExit):
            work()
    hurry()
    RuleRun.objects.update(lease_until=None)
    work()
    run.refresh_from_db()
    assert (run.state, [step["state"] for step in run.steps]) == ("done", ["done"] * 3)
    assert kinds(contact) == ["rule_run", "tags_changed", "note_added"]
    assert (Note.objects.count(), Reminder.objects.count()) == (1, 1)


def test_killed_while_a_step_waits_for_ghl_it_asks_for_nothing_twice(synced, sandbox, ada, monkeypatch):
    person = somebody(synced)
    follow = {"do": "add_follower", "values": {"who": "owner"}}
    rule = switched_on(person.business, {"kind": "button", "label": "Go"}, follow, STEPS[1])
    run = feeding.press(rule, person, ada)
    for at in range(1, 8):
        with monkeypatch.context() as dying:
            Killer(dying, at, before=False)
            RuleRun.objects.update(lease_until=None, next_at=timezone.now())
            try:
                running.work(run.pk)
            except SystemExit:
                continue
    hurry()
    RuleRun.objects.update(lease_until=None)
    work()
    run.refresh_from_db()
    assert run.state == "done"
    assert (OperationRun.objects.count(), len(writes(sandbox, "POST", "/followers"))) == (1, 1)
    assert person.notes.filter(body="Overdue.").count() == 1
