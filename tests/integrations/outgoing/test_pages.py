"""An admin says who is told, sees what became of it, and puts right what failed. For others the pages do not exist."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts.models import ActorKind, HistoryEvent
from integrations.models import OutgoingDelivery, OutgoingHook
from integrations.outgoing import kinds, post
from tests.integrations.outgoing.conftest import tell

pytestmark = pytest.mark.django_db


def address(name, *args):
    return reverse(f"integrations:{name}", args=args)


@pytest.fixture
def admin(as_user, ada):
    return as_user(ada)


def entered(**values):
    return {"name": "ERP", "url": "https://erp.example.com/rankr", "kinds": kinds.ALL} | values


def test_a_new_one_shows_its_secret_once(admin, northgate):
    page = admin.post(address("new_outgoing"), entered())
    hook = OutgoingHook.objects.get()
    assert hook.secret in page.content.decode() and page["Cache-Control"] == "no-store"
    assert hook.kinds == [] and hook.business == northgate and hook.made_by.name == "Ada"
    for name in ("outgoing", "outgoing_hook", "edit_outgoing"):
        args = [] if name == "outgoing" else [hook.pk]
        assert hook.secret not in admin.get(address(name, *args)).content.decode()
    assert hook.secret not in hook.sealed_secret


def test_some_kinds_alone_can_be_chosen_and_changed(admin):
    admin.post(address("new_outgoing"), entered(kinds=["task.completed"]))
    hook = OutgoingHook.objects.get()
    assert hook.kinds == ["task.completed"]
    page = admin.get(address("edit_outgoing", hook.pk)).content.decode()
    assert [kind for kind in kinds.ALL if f'value="{kind}" checked' in page] == ["task.completed"]
    changed = entered(kinds=["note.created"], name="Other", hears_own_effects="on")
    assert admin.post(address("edit_outgoing", hook.pk), changed).status_code == 302
    hook.refresh_from_db()
    assert (hook.kinds, hook.name, hook.hears_own_effects) == (["note.created"], "Other", True)
    assert "Notes" in admin.get(address("outgoing_hook", hook.pk)).content.decode()


@pytest.mark.parametrize(
    "values, words",
    [
        ({"url": "http://erp.example.com/"}, "must begin with https://"),
        ({"url": "https://me:pass@erp.example.com/"}, "name and password"),
        ({"url": "nonsense"}, "no address"),
        ({"kinds": []}, "tick at least one"),
        ({"kinds": ["invoice.eaten"]}, "not one of the available choices"),
        ({"name": ""}, "required"),
    ],
)
def test_what_makes_no_sense_is_said_and_kept(admin, values, words):
    page = admin.post(address("new_outgoing"), entered(**values))
    assert page.status_code == 422 and words in page.content.decode()
    assert not OutgoingHook.objects.exists()


def test_this_machine_is_refused_where_it_is_not_a_demo(admin, settings):
    settings.WEBHOOKS_TO_LOOPBACK = False
    page = admin.post(address("new_outgoing"), entered(url="http://127.0.0.1:9000/"))
    assert page.status_code == 422 and "our own server" in page.content.decode()


def test_a_test_is_sent_and_its_page_says_what_became_of_it(admin, hook, ear):
    ear.answer(200, b"thank you")
    answer = admin.post(address("test_outgoing", hook.pk))
    assert "every 1s" in admin.get(answer.url).content.decode()
    tell()
    page = admin.get(answer.url).content.decode()
    assert "Delivered" in page and "thank you" in page and "every 1s" not in page
    assert ear.told[0]["type"] == "test"


def test_a_failed_one_is_sent_again(admin, hook, ear):
    message = post(hook, "test", {}, cause="one")
    ear.answers = [(400, {}, b"no"), (204, {}, b"")]
    tell()
    page = admin.get(address("outgoing_delivery", message.pk)).content.decode()
    assert "400" in page and "Will be tried again" in page
    admin.post(address("retry_outgoing_delivery", message.pk))
    tell()
    message.refresh_from_db()
    assert message.state == "delivered"


def test_all_failed_ones_are_sent_again(admin, hook, ear):
    for number in range(3):
        post(hook, "test", {"n": number}, cause=str(number))
    OutgoingDelivery.objects.exclude(cause="2").update(state="dead", finished_at=timezone.now())
    OutgoingDelivery.objects.filter(cause="2").update(state="delivered", finished_at=timezone.now())
    assert "Retry all 2 failed" in admin.get(address("outgoing_hook", hook.pk)).content.decode()
    admin.post(address("retry_outgoing", hook.pk))
    tell()
    assert sorted(told["data"]["n"] for told in ear.told) == [0, 1]
    assert "Retry" not in admin.get(address("outgoing_hook", hook.pk)).content.decode()


def test_the_past_is_told_once_more_also_what_happened_while_it_was_off(admin, hook, ear, contact, ada):
    def happens(**values):
        of = {"location_id": contact.location_id, "contact": contact, "kind": "contact_changed"}
        return HistoryEvent.objects.create(**of | {"actor_kind": ActorKind.PERSON} | values)

    told = happens()
    tell()
    hook.switch_off(ada)
    missed = happens()
    old = happens(happened_at=timezone.now() - timedelta(days=3))
    by_erp = happens(actor_kind=ActorKind.ERP)
    hook.switch_on(ada)
    tell()
    uid = ear.heard[0].headers["webhook-id"]
    ear.heard.clear()
    admin.post(address("replay_outgoing", hook.pk), {"hours": "24"})
    tell()
    lines = [one["data"]["line"] for one in ear.told]
    assert sorted(lines) == [told.pk, missed.pk] and old.pk not in lines and by_erp.pk not in lines
    assert uid in {one.headers["webhook-id"] for one in ear.heard}, "what was told is told under the same id"
    hook.refresh_from_db()
    assert hook.replay_since is None


def test_switched_off_and_on_and_removed(admin, hook):
    admin.post(address("outgoing_off", hook.pk))
    page = admin.get(address("outgoing_hook", hook.pk)).content.decode()
    assert "Switched off" in page and address("test_outgoing", hook.pk) not in page
    answer = admin.post(address("test_outgoing", hook.pk), follow=True).content.decode()
    assert "Switch it on first" in answer and not OutgoingDelivery.objects.exists()
    admin.post(address("outgoing_on", hook.pk))
    assert address("test_outgoing", hook.pk) in admin.get(address("outgoing_hook", hook.pk)).content.decode()
    admin.post(address("remove_outgoing", hook.pk))
    assert admin.get(address("outgoing_hook", hook.pk)).status_code == 404
    assert "Nobody is told yet" in admin.get(address("outgoing")).content.decode()


def test_a_rotated_secret_is_shown_once_and_the_old_one_named(admin, hook):
    old = hook.secret
    page = admin.post(address("rotate_outgoing", hook.pk)).content.decode()
    hook.refresh_from_db()
    assert hook.secret in page and hook.secret != old and "old secret" in page
    assert hook.old_secret == old


def test_one_that_does_not_hear_says_so_here_and_after_a_day_on_the_health_page(admin, hook):
    failing = {"sentence": "It could not be reached.", "failures": 3}
    OutgoingHook.objects.update(failing_since=timezone.now() - timedelta(hours=2), **failing)
    assert "It could not be reached." in admin.get(address("outgoing")).content.decode()
    assert "could not be reached" in admin.get(address("erp")).content.decode()
    assert address("outgoing_hook", hook.pk) not in admin.get(address("health")).content.decode()
    OutgoingHook.objects.update(failing_since=timezone.now() - timedelta(hours=25))
    page = admin.get(address("health")).content.decode()
    assert "It could not be reached." in page and address("outgoing_hook", hook.pk) in page


def test_messages_can_be_looked_through_page_by_page_and_by_state(admin, hook):
    rows = [
        OutgoingDelivery(hook=hook, type="contact.updated", cause=f"line {n}", body='{"data": {"contact": {"id": 7}}}')
        for n in range(60)
    ]
    OutgoingDelivery.objects.bulk_create(rows)
    OutgoingDelivery.objects.filter(cause="line 5").update(state="dead", type="note.created")
    page = admin.get(address("outgoing_hook", hook.pk)).content.decode()
    assert page.count("data-row") == 50 and "Show more" in page
    page = admin.get(address("outgoing_hook", hook.pk) + "?state=dead").content.decode()
    assert page.count("data-row") == 1 and "note.created" in page
    assert admin.get(address("outgoing_hook", hook.pk) + "?state=eaten").status_code == 404


@pytest.mark.parametrize("who", ["ana", "max_", "cy"])
def test_for_others_it_does_not_exist(request, as_user, hook, who):
    client = as_user(request.getfixturevalue(who))
    message = post(hook, "test", {}, cause="one")
    assert client.get(address("outgoing_hook", hook.pk)).status_code == 404
    assert client.get(address("outgoing_delivery", message.pk)).status_code == 404
    assert client.post(address("rotate_outgoing", hook.pk)).status_code == 404
