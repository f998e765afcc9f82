"""The one stylesheet that every page asks for."""

import re
from pathlib import Path

from django.conf import settings
from django.urls import reverse

CSS = Path(settings.BASE_DIR) / "static" / "css"


def test_it_holds_all_that_is_imported_in_the_same_layers(client):
    answer = client.get(reverse("stylesheet"))
    text = answer.content.decode()
    assert answer["Content-Type"] == "text/css; charset=utf-8"
    assert "@import" not in text and "/*" not in text
    imported = re.findall(r'@import url\("([^"]+)"\)', (CSS / "app.css").read_text())
    assert len(imported) > 20
    for name in imported:
        rules = re.sub(r"/\*.*?\*/", "", (CSS / name).read_text(), flags=re.DOTALL).split()
        assert " ".join(rules) in " ".join(text.split()), name
    assert text.index("@layer tokens, base") < text.index("@layer tokens {") < text.index("@layer components {")
    assert text.count("{") == text.count("}")


def test_a_browser_that_has_it_is_not_sent_it_again(client):
    answer = client.get(reverse("stylesheet"))
    again = client.get(reverse("stylesheet"), headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert not answer.cookies


def test_other_static_files_come_as_they_are(client):
    assert client.get("/static/css/tokens.css").status_code == 200
    assert client.get("/static/css/nothing.css").status_code == 404


def test_the_pages_ask_for_it_alone(client, db):
    page = client.get(reverse("account_login")).content.decode()
    assert re.findall(r'rel="stylesheet" href="([^"]+)"', page) == [reverse("stylesheet")]
