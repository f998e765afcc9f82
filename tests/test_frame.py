"""The frame around every page: parts and wholes, toasts, expired sign-ins, other people's HTML, headers."""

from datetime import date, datetime, timedelta
from unittest.mock import Mock
from zoneinfo import ZoneInfo

import pytest
from django.contrib import messages
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect
from django.template import Context, Template
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags

from contacts.templatetags import ui
from rankr_dash.htmx import VARY, answer, wants_part
from rankr_dash.middleware import HtmxChores

HTMX = {"HX-Request": "true"}
BOOSTED = HTMX | {"HX-Boosted": "true"}
BACK = HTMX | {"HX-History-Restore-Request": "true"}


def asked(rf, headers=None, path="/"):
    request = rf.get(path, headers=headers or {})
    SessionMiddleware(lambda r: None).process_request(request)
    MessageMiddleware(lambda r: None).process_request(request)
    return request


def through_chores(request, view):
    return HtmxChores(view)(request)


def varies(response):
    return {name.strip() for name in response.headers.get("Vary", "").split(",")}


# --- part or whole ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers, is_part", [({}, False), (HTMX, True), (BOOSTED, False), (BACK, False)])
def test_only_a_swap_gets_the_part(headers, is_part, rf):
    request = asked(rf, headers)
    assert wants_part(request) is is_part
    response = answer(request, "429.html", part="ui/_form_errors.html", status=422)
    assert (b"<!doctype" in response.content) is not is_part
    assert response.status_code == 422


def test_no_cache_takes_the_part_for_the_page(rf):
    assert set(VARY) <= varies(answer(asked(rf), "429.html"))
    assert set(VARY) <= varies(answer(asked(rf, HTMX), "429.html", part="ui/_form_errors.html"))


def test_a_page_without_a_part_answers_htmx_whole(rf):
    assert b"<!doctype" in answer(asked(rf, HTMX), "429.html").content


def test_real_pages_vary_too(as_user, ana):
    for headers in ({}, HTMX):
        assert set(VARY) <= varies(as_user(ana).get(reverse("contacts:today"), headers=headers))


# --- redirects ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_moves_the_page_instead_of_landing_inside_a_part(status, rf):
    response = through_chores(asked(rf, HTMX), lambda r: HttpResponse(status=status, headers={"Location": "/tasks/"}))
    assert response.status_code == 200 and response.content == b""
    assert response.headers["HX-Redirect"] == "/tasks/"
    assert "Location" not in response.headers


@pytest.mark.parametrize("headers", [{}, BOOSTED])
def test_a_browser_and_a_boosted_link_follow_redirects_themselves(headers, rf):
    response = through_chores(asked(rf, headers), lambda r: redirect("/tasks/"))
    assert response.status_code == 302 and "HX-Redirect" not in response.headers


def test_cookies_stay_on_a_redirect(rf):
    def view(request):
        response = redirect("/tasks/")
        response.set_cookie("kept", "yes")
        return response

    assert through_chores(asked(rf, HTMX), view).cookies["kept"].value == "yes"


def test_an_expired_sign_in_returns_to_the_page_not_to_the_part(db, client):
    headers = HTMX | {"HX-Current-URL": "http://testserver/contacts/?q=mar&tag=vip"}
    response = client.get(reverse("contacts:today"), headers=headers)
    assert response.headers["HX-Redirect"] == "/account/login/?next=%2Fcontacts%2F%3Fq%3Dmar%26tag%3Dvip"


@pytest.mark.parametrize("current", ["", "https://evil.example/x", "//evil.example", "javascript:alert(1)"])
def test_an_expired_sign_in_never_leads_to_a_foreign_page(current, db, client):
    response = client.get(reverse("contacts:today"), headers=HTMX | {"HX-Current-URL": current})
    assert response.headers["HX-Redirect"] == "/account/login/?next=%2F"


# --- toasts -------------------------------------------------------------------------------------------------------


def says(text, response=None):
    def view(request):
        messages.success(request, text)
        return HttpResponse("<p>part</p>") if response is None else response

    return view


def test_messages_travel_along_with_a_part(rf):
    text = through_chores(asked(rf, HTMX), says("Saved.")).content.decode()
    assert text.startswith("<p>part</p>")
    assert 'hx-swap-oob="beforeend"' in text and "Saved." in text and "toast--success" in text


def test_a_toast_is_text_not_html(rf):
    text = through_chores(asked(rf, HTMX), says("<img src=x onerror=alert(1)>")).content.decode()
    assert "<img" not in text and "&lt;img" in text


def test_without_messages_a_part_stays_as_it_is(rf):
    assert through_chores(asked(rf, HTMX), lambda r: HttpResponse("<p>part</p>")).content == b"<p>part</p>"


@pytest.mark.parametrize("headers", [{}, BOOSTED, BACK])
def test_whole_pages_show_their_messages_themselves(headers, rf):
    assert through_chores(asked(rf, headers), says("Saved.")).content == b"<p>part</p>"


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(status=204),
        JsonResponse({"a": 1}),
        HttpResponse("a,b", content_type="text/csv"),
        HttpResponse(headers={"HX-Location": "/tasks/"}),
        HttpResponse(headers={"HX-Refresh": "true"}),
    ],
)
def test_where_a_toast_has_no_place_the_message_waits(response, rf):
    request = asked(rf, HTMX)
    before = response.content
    assert through_chores(request, says("Saved.", response)).content == before
    assert [str(message) for message in messages.get_messages(request)] == ["Saved."]


def test_a_stream_is_left_alone(rf):
    response = through_chores(asked(rf, HTMX), says("Saved.", StreamingHttpResponse(["a"])))
    assert b"".join(response.streaming_content) == b"a"


def test_after_a_redirect_the_page_shows_the_message(as_user, ada, ana):
    client = as_user(ada)
    member = ana.memberships.get()
    client.post(reverse("contacts:member_remove", args=[member.pk]))
    page = client.get(reverse("contacts:team")).content.decode()
    assert "Ana is no longer a member" in page.split('id="toasts"')[1]


# --- other people's HTML ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "evil",
    [
        "<script>alert(1)</script>",
        "<p>a</p><ScRiPt src=//evil.example/x.js></sCrIpT>",
        '<iframe src="https://evil.example"></iframe>',
        '<p onclick="alert(1)" ONMOUSEOVER=alert(1)>a</p>',
        '<a href="javascript:alert(1)">a</a>',
        '<a href=" jAvA&#10;script:alert(1)">a</a>',
        '<a href="data:text/html,<script>alert(1)</script>">a</a>',
        '<p hx-get="/outbox/" hx-trigger="load" data-hx-post="/x">a</p>',
        '<svg onload="alert(1)"><animate onbegin=alert(1)></svg>',
        '<img src=x onerror="alert(1)">',
        '<form action="https://evil.example"><input name="password"></form>',
        '<p style="position:fixed;inset:0">a</p><style>*{display:none}</style>',
        '<p id="toasts" class="button" data-undo="1" data-menu>a</p>',
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></table></mtext></math>",
        '<meta http-equiv=refresh content="0;url=//evil.example"><base href=//evil><link rel=stylesheet href=x>',
    ],
)
def test_a_note_cannot_harm_the_reader(evil):
    clean = str(ui.safe_html(evil + "<p>b</p>")).lower()
    for trace in (
        "<script", "<iframe", "<svg", "<img", "<form", "<input", "<style", "<meta", "<base", "<link", "<math",
        "onclick", "onmouseover", "onerror", "onload", "javascript:", "data:", "hx-", "style=", "id=", "class=",
        "data-",
    ):  # fmt: skip
        assert trace not in clean
    assert "<p>b</p>" in clean


def test_a_note_keeps_its_form():
    text = "<p>Hi <b>Ana</b></p><ul><li>roof</li></ul><blockquote>so</blockquote>"
    text += "<h2>x</h2><table><tbody><tr><td>1</td></tr></tbody></table>"
    assert ui.safe_html(text) == text.replace("<table>", '<table tabindex="0">')


def test_links_open_elsewhere_and_learn_nothing():
    link = ui.safe_html('<a href="https://example.com/a?b=1">there</a>')
    for part in ('href="https://example.com/a?b=1"', 'target="_blank"', "noopener", "noreferrer", "nofollow"):
        assert part in link
    assert "href" not in ui.safe_html('<a href="/team/">us</a>')


def test_plain_text_keeps_its_lines_and_gets_its_links():
    clean = ui.safe_html("Roof < 20 years & dry\nsee https://example.com\n\nBye")
    assert "Roof &lt; 20 years &amp; dry<br>" in clean
    assert 'href="https://example.com"' in clean and clean.count("<p>") == 2


@pytest.mark.parametrize("empty", [None, "", "   "])
def test_no_note_is_no_text(empty):
    assert ui.safe_html(empty) == ""


def test_everywhere_else_text_is_escaped():
    assert Template("{{ x }}").render(Context({"x": "<b>"})) == "&lt;b&gt;"


# --- moments ------------------------------------------------------------------------------------------------------

CHICAGO = ZoneInfo("America/Chicago")


@pytest.fixture
def noon(monkeypatch):
    """Monday 23 November 2026, 12:00 in Chicago."""
    moment = datetime(2026, 11, 23, 12, tzinfo=CHICAGO)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    return moment


def plain(html):
    return strip_tags(str(html))


@pytest.mark.parametrize(
    "local, words",
    [
        ((2026, 11, 23, 14, 20), "Today 14:20"),
        ((2026, 11, 22, 9, 0), "Yesterday 09:00"),
        ((2026, 11, 24, 0, 0), "Tomorrow 00:00"),
        ((2026, 11, 30, 10, 30), "Mon 30 Nov, 10:30"),
        ((2026, 3, 3, 9, 0), "Tue 3 Mar, 09:00"),
        ((2025, 11, 3, 9, 0), "3 Nov 2025, 09:00"),
        ((2027, 1, 4, 9, 0), "Mon 4 Jan, 09:00"),
    ],
)
def test_when(local, words, noon):
    assert plain(ui.when(datetime(*local, tzinfo=CHICAGO), "America/Chicago")) == words


def test_the_places_clock_decides_what_today_is(noon):
    late_evening = datetime(2026, 11, 24, 5, 30, tzinfo=ZoneInfo("UTC"))
    assert plain(ui.when(late_evening, "America/Chicago")) == "Today 23:30"
    assert plain(ui.when(late_evening, "UTC")) == "Tomorrow 05:30"
    assert plain(ui.when(late_evening, "Nowhere/Atlantis")) == "Tomorrow 05:30"


def test_a_moment_says_itself_in_full_to_who_points_at_it(noon):
    with timezone.override(CHICAGO):
        here = ui.when(noon, CHICAGO)
    assert 'title="Monday 23 November 2026, 12:00 CST"' in here and "datetime=" in here
    elsewhere = ui.when(noon, CHICAGO)
    assert 'title="Monday 23 November 2026, 12:00 CST (Today 18:00 by your clock)"' in elsewhere


@pytest.mark.parametrize("nothing", [None, "", "soon", 7, "2026-13-45"])
def test_what_is_no_moment_is_left_empty(nothing):
    assert ui.when(nothing) == "" and ui.late(nothing) == "" and ui.ago(nothing) == ""


@pytest.mark.parametrize(
    "before, words",
    [
        (timedelta(minutes=-5), ""),
        (timedelta(minutes=5), "5 min late"),
        (timedelta(hours=3), "3 h late"),
        (timedelta(hours=13), "1 day late"),
        (timedelta(days=4), "4 days late"),
    ],
)
def test_late(before, words, noon):
    assert ui.late(noon - before, CHICAGO) == words


def test_a_date_is_late_from_the_next_day_on(noon):
    assert ui.late(date(2026, 11, 23), CHICAGO) == ""
    assert ui.late(date(2026, 11, 21), CHICAGO) == "2 days late"


@pytest.mark.parametrize(
    "before, words",
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(minutes=3), "3 min ago"),
        (timedelta(hours=5), "5 h ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(hours=-3), "in 3 h"),
        (timedelta(days=40), "Wed 14 Oct"),
    ],
)
def test_ago(before, words, noon):
    assert plain(ui.ago(noon - before, CHICAGO)) == words


# --- phone numbers, names, links ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, country, words",
    [
        ("+13125550148", "US", "(312) 555-0148"),
        ("312 555 0148", "US", "(312) 555-0148"),
        ("+442079460958", "US", "+44 20 7946 0958"),
        ("+442079460958", "GB", "020 7946 0958"),
        ("ask for Dana", "US", "ask for Dana"),
        ("12", "US", "12"),
        ("", "US", ""),
        (None, "US", ""),
        ("+13125550148", "", "+1 312-555-0148"),
    ],
)
def test_phone(number, country, words):
    assert ui.phone(number, country) == words


def test_a_phone_number_is_escaped_like_any_text():
    assert "<b>" not in Template("{{ x|phone }}").render(Context({"x": "<b>1</b>"}))


@pytest.mark.parametrize(
    "name, letters", [("Dana Whitlock", "DW"), ("cher", "CH"), ("🦊", "·"), ("", "·"), (None, "·")]
)
def test_initials(name, letters):
    assert ui.initials(name) == letters


def test_links_keep_the_filters_and_drop_the_place_in_the_list(rf):
    request = rf.get("/contacts/?tag=vip&tag=roof&q=a&after=xyz")
    context = Context({"request": request})
    assert ui.query_string(context, sort="name") == "?tag=vip&tag=roof&q=a&sort=name"
    assert ui.query_string(context, q=None, tag=["x"]) == "?tag=x"
    assert ui.query_without(context, "tag", "vip") == "?tag=roof&q=a"
    assert ui.query_without(context, "tag") == "?q=a"


# --- what could not be answered -----------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble, status", [(OperationalError, 503), (InterfaceError, 503), (ValueError, 500)])
def test_only_what_passes_by_itself_is_called_busy(trouble, status, monkeypatch):
    monkeypatch.setattr("rankr_dash.health.connection.cursor", Mock(side_effect=trouble("no connection to spare")))
    answer = Client(raise_request_exception=False).get("/healthz")
    assert (answer.status_code, answer.headers.get("Retry-After")) == (status, "10" if status == 503 else None)


def test_who_sent_a_form_is_told_that_it_was_not_saved(monkeypatch):
    trouble = OperationalError("no connection to spare")
    monkeypatch.setattr("rankr_dash.health.connection.cursor", Mock(side_effect=trouble))
    page = Client(raise_request_exception=False).post("/healthz").content.decode()
    assert "This was not saved" in page and "Try again</a>" not in page


# --- headers ------------------------------------------------------------------------------------------------------

PAGES = ["/", "/contacts/", "/tasks/", "/companies/", "/outbox/", "/team/", "/businesses/new/", "/connections/",
         "/account/login/", "/account/signup/", "/account/password/reset/", "/account/email/", "/invitations/",
         "/invitations/nonsense/", "/healthz", "/admin/", "/nowhere/"]  # fmt: skip


@pytest.mark.parametrize("is_signed_in", [False, True])
@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_the_security_headers(path, is_signed_in, as_user, ada):
    response = (as_user(ada) if is_signed_in else Client()).get(path)
    assert response.status_code < 500
    policy = response.headers["Content-Security-Policy"]
    for rule in (
        "default-src 'self'", "script-src 'self'", "style-src 'self'", "object-src 'none'", "base-uri 'none'",
        "frame-ancestors 'none'",
    ):  # fmt: skip
        assert rule in policy
    assert "unsafe" not in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["X-Frame-Options"] == "DENY"
    assert response.headers["Referrer-Policy"] == "same-origin"
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize("path", [path for path in PAGES if path not in ("/healthz", "/admin/")])
def test_no_page_needs_what_the_policy_refuses(path, as_user, ada):
    """No inline script, style or handler: the browser would not run them, and nothing should seem to work by them."""
    page = as_user(ada).get(path, follow=True).content.decode().lower()
    assert " style=" not in page and "<style" not in page
    assert " onclick=" not in page and " onchange=" not in page and "javascript:" not in page
    assert all("src=" in tag.split(">")[0] for tag in page.split("<script")[1:])


def test_cookies_are_out_of_reach_of_scripts(client, ana, db):
    client.post("/account/login/", {"login": ana.email, "password": "correct horse"})
    assert client.cookies["sessionid"]["httponly"]
    assert client.cookies["sessionid"]["samesite"] == "Lax"


def test_a_form_without_its_token_is_refused_in_a_sentence(ana):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ana)
    response = client.post(reverse("contacts:switch_business"), {"business": ""})
    assert response.status_code == 403
    assert "grown too old" in response.content.decode()
