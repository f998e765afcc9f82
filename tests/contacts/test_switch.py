"""Which business I look at: chosen in the top bar, kept in the session."""

import pytest

from contacts.access import SESSION_KEY


def test_choosing_one_and_then_all_again(as_user, ana, northgate, second_business):
    client = as_user(ana)
    response = client.post("/switch/", {"business": second_business.pk, "next": "/contacts/?q=x"})
    assert response.status_code == 302 and response["Location"] == "/contacts/?q=x"
    assert client.session[SESSION_KEY] == second_business.pk
    client.post("/switch/", {"business": ""})
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", "", "/\\evil.example"]
)
def test_it_leads_only_to_pages_of_ours(target, as_user, ana):
    assert as_user(ana).post("/switch/", {"business": "", "next": target})["Location"] == "/"


def test_a_business_of_others_is_not_found(as_user, cy, northgate):
    client = as_user(cy)
    assert client.post("/switch/", {"business": northgate.pk}).status_code == 404
    assert SESSION_KEY not in client.session


@pytest.mark.parametrize("value", ["x", "-1", "99999999999999999999", "1.0"])
def test_nonsense_is_not_found(value, as_user, ana):
    assert as_user(ana).post("/switch/", {"business": value}).status_code == 404


def test_only_by_post_and_signed_in(as_user, ana, client):
    assert as_user(ana).get("/switch/").status_code == 405
    assert client.post("/switch/", {"business": ""})["Location"].startswith("/account/login")
