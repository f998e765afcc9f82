"""Finding something in a long history: by person, by cause, by words; and what is new since one looked."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from contacts.history.looked import changed_since_looked
from contacts.history.timeline import query, text
from contacts.models import ContactView, CustomField, Note, RemoteUser

HTMX = {"HX-Request": "true"}


@pytest.fixture
def read(as_user, ana, contact):
    client = as_user(ana)

    def get(target="", **params):
        headers = {**HTMX, "HX-Target": target} if target else HTMX
        return client.get(f"/contacts/{contact.pk}/history/", params, headers=headers).content.decode()

    return get


@pytest.fixture
def write(contact, location, add_event):
    def note(body, **event):
        row = Note.objects.create(contact=contact, location=location, body=body)
        return add_event(contact, "note_added", note=row, **event)

    return note


def ago(**length):
    return timezone.now() - timedelta(**length)


# --- by person and cause ----------------------------------------------------------------------------------------------


def test_one_person_alone(read, write, ana, max_):
    write("By Ana", user=ana)
    write("By Max", user=max_)
    write("By Dana")
    shown = read(who=f"u{ana.pk}")
    assert "By Ana" in shown and "By Max" not in shown and "By Dana" not in shown


def test_somebody_of_ghl_alone(read, write, dana, ana):
    write("By Dana", actor_kind="ghl")
    write("By Ana", user=ana)
    shown = read(who=f"g{dana.pk}")
    assert "By Dana" in shown and "By Ana" not in shown and ">Dana Whitlock</bdi>" in shown


def test_what_somebody_did_here_and_in_ghl_is_theirs(read, write, ana, location):
    RemoteUser.objects.create(location=location, remote_id="uA", name="Ana in GHL", user=ana)
    write("Here", user=ana)
    write("There", actor_kind="ghl", actor_name="Ana in GHL")
    shown = read(who=f"u{ana.pk}")
    assert "Here" in shown and "There" in shown


@pytest.mark.parametrize("cause", ["person", "ghl", "rule", "erp", "system"])
def test_one_cause_alone(read, contact, add_event, cause):
    for kind in query.CAUSES:
        add_event(contact, "tags_changed", changes={"tags": [[], [f"by-{kind}"]]}, actor_kind=kind)
    shown = read(cause=cause)
    assert [kind for kind in query.CAUSES if f"by-{kind}" in shown] == [cause]


@pytest.mark.parametrize("params", [
    {"who": "u0"}, {"who": "u99999999999999999999"}, {"who": "x1"}, {"who": "u1;drop"}, {"cause": "nobody"},
    {"q": "\x00"},
])  # fmt: skip
def test_a_filter_that_makes_no_sense_asks_for_everything(read, write, params):
    write("Here I am")
    assert "Here I am" in read(**params)


def test_somebody_who_did_nothing_has_no_lines(read, write):
    write("Here I am")
    shown = read(who="u999")
    assert "Here I am" not in shown and "Nothing of this kind" in shown


# --- by words ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("words", ["flashing", "FLASHING", "cópper", "flashing copper", "jesus"])
def test_words_of_a_note_are_found_and_marked(read, write, words):
    write("<p>Wants <b>Copper</b> flashing, says Jesús</p>")
    write("Something else")
    shown = read(q=words)
    assert "<mark>" in shown and "Wants" in shown and "Something else" not in shown


def test_words_that_stand_nowhere_are_not_found(read, write):
    write("Wants copper")
    shown = read(q="copper brandvold")
    assert "Nothing found" in shown and "Wants" not in shown


def test_markup_is_not_searched(read, write):
    write('<p class="lead">Hello <a href="https://example.com/secret">there</a></p>')
    assert "Nothing found" in read(q="href")


def test_titles_names_and_values_are_found(read, contact, location, add_event, add_task, dana, add_appointment):
    CustomField.objects.create(location=location, remote_id="cfRoof", name="Roof type", data_type="TEXT")
    add_event(contact, "task_done", task=add_task(contact, "Send warranty pack"))
    add_event(contact, "appointment_booked", appointment=add_appointment(contact, timezone.now(), "Site visit"))
    add_event(contact, "contact_changed", changes={"custom_values": [{"cfRoof": "Tile"}, {"cfRoof": "Standing seam"}]})
    changes = {"owner_remote_id": ["", dana.remote_id]}
    add_event(contact, "contact_changed", changes=changes, actor_kind="ghl", actor_name="", happened_at=ago(hours=1))
    add_event(contact, "erp_event", title="Invoice 8841 paid", actor_kind="erp", actor_name="")
    found = {"warranty": "completed", "visit": "booked", "seam": "Standing", "roof type": "Standing", "8841": "paid"}
    for words, there in {**found, "whitlock": "changed Owner"}.items():
        assert there in read("history-lines", q=words), words


def test_ids_and_keys_are_not_found(read, contact, add_event, dana):
    changes = {"owner_remote_id": ["", dana.remote_id], "city": ["", "Gary"]}
    add_event(contact, "contact_changed", changes=changes, actor_kind="ghl", actor_name="")
    assert "Nothing found" in read(q="userDana0000") and "Nothing found" in read(q="remote_id")


def test_what_was_deleted_is_not_found(read, write):
    event = write("A secret")
    Note.objects.update(deleted_at=timezone.now())
    assert "Nothing found" in read(q="secret")
    assert event.note.body == "A secret"


@pytest.mark.parametrize("words", ["%", "_", "\\", "'", '"', "<script>", "[a", "x" * 5000])
def test_signs_are_only_signs(read, write, words):
    write("Plain")
    shown = read(q=words)
    assert "<script>" not in shown and "Plain" not in shown


def test_found_lines_come_page_by_page(read, write, monkeypatch):
    monkeypatch.setattr(query, "PAGE", 2)
    for number in range(5):
        write(f"copper {number}", happened_at=ago(hours=number))
        write(f"other {number}", happened_at=ago(hours=number))
    seen, params = [], {"q": "copper"}
    for _ in range(3):
        shown = read("history-more", **params)
        seen += [number for number in range(5) if f"copper</mark> {number}" in shown]
        if "after=" not in shown:
            break
        params = {"q": "copper", "after": shown.split("after=")[1].split(chr(34))[0]}
    assert seen == [0, 1, 2, 3, 4] and "after=" not in shown


def test_a_stranger_searches_in_vain(as_user, cy, contact, write):
    write("A secret")
    assert as_user(cy).get(f"/contacts/{contact.pk}/history/?q=secret", headers=HTMX).status_code == 404


@pytest.mark.parametrize("source, words, shown", [
    ("a <b> & c", "b", "a &lt;<mark>b</mark>&gt; &amp; c"),
    ("Straße Ørsted", "orsted strasse", "<mark>Straße</mark> <mark>Ørsted</mark>"),
    ("مرحبًا 🏠", "مرحبا", "<mark>مرحبًا</mark> 🏠"),
    ("aaa", "aa", "<mark>aa</mark>a"),
    ("nothing", "", "nothing"),
])  # fmt: skip
def test_marks_leave_the_text_as_it_is(source, words, shown):
    assert str(text.marked(source, words)) == shown


def test_marks_stay_out_of_tags():
    clean = '<a href="https://x.example/?q=a>b&amp;copper" title="copper">copper &lt;img&gt;</a>'
    marked = str(text.marked_html(clean, "copper img"))
    assert marked.count("<mark>") == 2 and 'title="copper"' in marked and "&lt;<mark>img</mark>&gt;" in marked


# --- since one looked -------------------------------------------------------------------------------------------------


@pytest.fixture
def open_page(as_user, ana, contact):
    client = as_user(ana)
    return lambda: client.get(contact.get_absolute_url()).content.decode()


def looked(user, contact, **when):
    ContactView.objects.update_or_create(user=user, contact=contact, defaults={"looked_at": ago(**when)})


def test_the_first_visit_has_no_line(open_page, write):
    write("Old", happened_at=ago(days=3))
    assert "New since you last looked" not in open_page()


def test_what_others_did_since_stands_above_the_line_also_after_a_reload(open_page, write, ana, contact):
    write("Old", happened_at=ago(days=3))
    write("Fresh", happened_at=ago(hours=1))
    looked(ana, contact, days=1)
    for shown in (open_page(), open_page()):
        assert shown.index("Fresh") < shown.index("New since you last looked") < shown.index("Old")


def test_what_i_did_myself_is_no_news(open_page, write, ana, contact):
    write("Old", happened_at=ago(days=3))
    write("Mine", happened_at=ago(hours=1), user=ana)
    looked(ana, contact, days=1)
    assert "New since you last looked" not in open_page()


def test_the_line_stands_between_two_of_one_day(read, write, ana, contact):
    noon = timezone.now().replace(hour=18, minute=0) - timedelta(days=2)  # noon in Chicago
    write("Old", happened_at=noon)
    write("Fresh", happened_at=noon + timedelta(hours=2))
    ContactView.objects.create(
        user=ana, contact=contact, looked_at=timezone.now(), looked_before=noon + timedelta(hours=1)
    )
    shown = read()
    assert shown.index("Fresh") < shown.index("New since you last looked") < shown.index("Old")


def test_the_line_is_found_on_a_later_page(read, write, ana, contact, monkeypatch):
    monkeypatch.setattr(query, "PAGE", 2)
    for hours in (1, 2, 30, 31):
        write(f"Note {hours}", happened_at=ago(hours=hours))
    ContactView.objects.create(user=ana, contact=contact, looked_at=timezone.now(), looked_before=ago(hours=20))
    first = read()
    second = read("history-more", after=first.split("after=")[1].split(chr(34))[0])
    assert "New since you last looked" not in first and "New since you last looked" in second


def test_each_has_a_line_of_their_own(as_user, open_page, write, ana, max_, contact):
    write("Old", happened_at=ago(days=3))
    write("Fresh", happened_at=ago(hours=1))
    looked(max_, contact, days=1)
    assert "New since you last looked" not in open_page()


def test_today_is_told_what_others_changed_since(
    rf, ana, max_, contact, add_contact, write, add_event, second_location
):
    request = rf.get("/")
    request.user, request.session = ana, {}
    write("Fresh", happened_at=timezone.now())
    contact.last_activity_at = timezone.now()
    contact.save()
    mine, unseen = add_contact("Mine Alone"), add_contact("Never Seen")
    for one, user in ((mine, ana), (unseen, max_)):
        add_event(one, "note_added", user=user, happened_at=timezone.now())
        one.last_activity_at = timezone.now()
        one.save()
    looked(ana, contact, hours=1)
    looked(ana, mine, hours=1)
    found = changed_since_looked(request)
    assert [one.contact for one in found] == [contact] and found[0].activity == "Note by Dana"


def test_who_left_is_told_nothing(rf, ana, contact, write, northgate):
    request = rf.get("/")
    request.user, request.session = ana, {}
    write("Fresh", happened_at=timezone.now())
    looked(ana, contact, hours=1)
    northgate.memberships.filter(user=ana).delete()
    assert changed_since_looked(request) == []


@pytest.fixture
def connection_queries():
    """How many queries an act takes."""

    def count(act):
        with CaptureQueriesContext(connection) as queries:
            act()
        return len(queries)

    return count


# --- cost -------------------------------------------------------------------------------------------------------------


def test_a_long_history_costs_no_more_queries_than_a_short_one(
    read, contact, add_event, add_task, write, connection_queries
):
    def fill(number):
        for _ in range(number):
            write("copper @Max", happened_at=ago(hours=number))
            cause = add_event(contact, "erp_event", title="Order", actor_kind="erp", happened_at=ago(hours=number))
            add_event(contact, "task_added", task=add_task(contact), cause=cause, happened_at=ago(hours=number))
            add_event(contact, "contact_changed", changes={"owner_remote_id": ["", "x"]}, happened_at=ago(hours=number))

    fill(2)
    few = connection_queries(read)
    fill(20)
    assert connection_queries(read) <= few
