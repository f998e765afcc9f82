"""Texts ready for translation: a language that is added speaks in the frame, the building blocks and the dates."""

from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.utils import timezone, translation

from tests.translating import speak_german

GERMAN = {
    "Today": "Heute",
    "Contacts": "Kontakte",
    "Search contacts": "Kontakte durchsuchen",
    "Sign out": "Abmelden",
    "Skip to the page": "Zum Inhalt",
    "Needs attention": "Braucht Aufmerksamkeit",
    "There is nothing here": "Hier ist nichts",
    "just now": "gerade eben",
    "Find a contact, a page or an action": "Kontakt, Seite oder Befehl suchen",
    "Write a note": "Notiz schreiben",
    "Copied": "Kopiert",
    ("%(n)s open", "%(n)s open"): ("%(n)s offene", "%(n)s offene"),
    ("%(n)s overdue", "%(n)s overdue"): ("%(n)s überfällige", "%(n)s überfällige"),
}


@pytest.fixture
def german(settings, tmp_path, monkeypatch):
    """As if somebody had translated a few words."""
    speak_german(GERMAN, tmp_path, settings, monkeypatch)


def choose(client, language):
    values = {"language": language, "time_zone": "", "region": "DE", "hours": "", "week_start": "", "theme": ""}
    assert client.post("/preferences/", values).status_code == 302


def test_a_person_reads_the_language_they_chose(german, as_user, ana, location):
    client = as_user(ana)
    assert "Kontakte" not in client.get("/").content.decode()
    choose(client, "de")
    page = client.get("/").content.decode()
    assert '<html lang="de"' in page
    for words in ("Heute", "Kontakte", "Kontakte durchsuchen", "Abmelden", "Zum Inhalt"):
        assert f">{words}<" in page or f'"{words}"' in page, words
    assert "Kontakt, Seite oder Befehl suchen" in page
    assert "Hier ist nichts" in client.get("/nowhere/").content.decode()


def test_without_a_choice_the_browser_decides(german, as_user, ana, client):
    asks = {"Accept-Language": "de-AT,de;q=0.9"}
    assert "Zum Inhalt" in as_user(ana).get("/preferences/", headers=asks).content.decode()
    assert 'lang="de"' in client.get("/account/login/", headers=asks).content.decode()


def test_nobody_elses_language_changes(german, as_user, ana, max_):
    choose(as_user(ana), "de")
    assert "Zum Inhalt" not in as_user(max_).get("/preferences/").content.decode()


def test_a_language_there_is_not_cannot_be_chosen(german, as_user, ana):
    response = as_user(ana).post("/preferences/", {"language": "xx"})
    assert response.status_code == 422
    ana.language = "xx"  # one that was taken out again
    ana.save()
    assert 'lang="en"' in as_user(ana).get("/preferences/").content.decode()


def test_dates_follow_the_language_too(german, as_user, ana, location):
    client = as_user(ana)
    choose(client, "de")
    page = client.get("/preferences/").content.decode()
    assert "Montag, 23. November 2026, 14:20" in page and "12.402,5" in page


def test_a_contact_page_speaks_it_with_its_counts_and_its_scripts(german, as_user, ana, contact, add_task):
    add_task(contact, due_at=timezone.now() - timedelta(days=3))
    client = as_user(ana)
    choose(client, "de")
    page = client.get(contact.get_absolute_url()).content.decode()
    assert 'placeholder="Notiz schreiben"' in page
    assert ">1 offene</span>" in page and "1 überfällige</span>" in page
    assert 'data-copied="Kopiert"' in page


def test_parts_speak_it_as_well(german):
    with translation.override("de"):
        assert "Braucht Aufmerksamkeit" in render_to_string("ui/_status.html", {"state": "attention"})


def test_with_one_language_there_is_nothing_to_choose(as_user, ana):
    assert 'name="language"' not in as_user(ana).get("/preferences/").content.decode()
