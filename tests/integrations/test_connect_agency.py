"""An agency that gave access as a whole: its locations are chosen here, and opened with the agency's own access."""

import pytest

from contacts.models import Business, Location
from integrations.access import agencies, connect
from integrations.models import Agency, Connection
from tests.sandbox_control import consent

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def agency(sandbox, ada, northgate):
    """With the app installed in the first three of its locations."""
    for location_id in sandbox.credentials["location_ids"][:3]:
        sandbox.tokens("install", location_id=location_id)
    sandbox.settings(bulk_install=True)
    return consent(ada, northgate, sandbox)


@pytest.fixture
def hers(ada, as_user):
    return as_user(ada)


def page_of(agency):
    return f"/connections/agencies/{agency.pk}/"


def connect_some(agency, ada, count):
    ids = [place.remote_id for place in agencies.places(agency)][:count]
    return agencies.connect_places(agency, ada, ids)


def test_one_location_chosen_at_ghl_yields_an_agency_here(agency, northgate, sandbox):
    assert isinstance(agency, Agency)
    assert agency.business == northgate
    assert agency.company_id == sandbox.credentials["company_id"]


def test_the_page_lists_the_locations_that_have_the_app(hers, agency, sandbox):
    page = hers.get(page_of(agency)).content.decode()
    for place in agencies.places(agency):
        assert place.name in page
    assert page.count('name="location"') == len(agencies.places(agency))


def test_several_are_connected_at_once_and_named(hers, agency, sandbox):
    ids = [place.remote_id for place in agencies.places(agency)][:2]
    answer = hers.post(page_of(agency), {"location": ids}, follow=True)
    assert "Connected: " in answer.content.decode()
    assert set(Location.objects.values_list("remote_id", flat=True)) == set(ids)
    for connection in Connection.objects.all():
        assert connection.is_active and connection.agency == agency
        assert connection.location.name
        assert connection.sync_runs.exists()


def test_another_location_is_added_later_without_consent(hers, agency, ada, sandbox):
    connect_some(agency, ada, 1)
    page = hers.get(page_of(agency)).content.decode()
    assert ">Connected<" in page
    free = next(place for place in agencies.places(agency) if place.state == agencies.FREE)
    hers.post(page_of(agency), {"location": free.remote_id})
    assert Connection.objects.count() == 2
    assert "Add a location" in hers.get("/connections/").content.decode()


def test_a_second_click_connects_nothing_twice(hers, agency):
    place = agencies.places(agency)[0]
    for _ in range(2):
        assert hers.post(page_of(agency), {"location": place.remote_id}).status_code == 302
    assert Connection.objects.get().token_version == 1


def test_nothing_chosen_is_said(hers, agency):
    assert "Choose at least one location" in hers.post(page_of(agency), {}, follow=True).content.decode()


def test_a_location_of_another_business_is_shown_and_not_taken(hers, agency, cy, sandbox):
    place = agencies.places(agency)[0]
    initech = Business.objects.get(name="Initech")
    Location.objects.create(business=initech, remote_id=place.remote_id, name="Theirs")
    assert "With another business" in hers.get(page_of(agency)).content.decode()
    hers.post(page_of(agency), {"location": place.remote_id})
    with pytest.raises(connect.CannotConnect, match="another business"):
        connect.connect_by_agency(agency, None, place.remote_id)
    assert not Connection.objects.exists()


def test_a_location_that_is_none_of_the_agencys_is_not_connected(hers, agency):
    hers.post(page_of(agency), {"location": "locInvented000000001"})
    assert not Connection.objects.exists()
    assert not Location.objects.exists()


def test_a_long_list_can_be_searched_and_keeps_what_was_ticked(hers, agency, monkeypatch):
    from integrations.ghl.oauth import InstalledLocation

    many = [InstalledLocation(f"loc{n:017}", f"Branch {n:03}", f"{n} Main Street", True) for n in range(60)]
    monkeypatch.setattr(agencies, "_locations", lambda agency: many)
    assert 'type="search"' in hers.get(page_of(agency)).content.decode()
    part = hers.get(page_of(agency), {"find": "branch 01", "location": many[42].id}, headers={"HX-Request": "true"})
    page = part.content.decode()
    assert "<html" not in page
    assert page.count('name="location"') == 11
    assert "Branch 042" in page and "checked" in page


def test_ghl_being_away_is_said_on_the_page(hers, agency, sandbox):
    sandbox.faults({"match": {"path": "/oauth/installedLocations", "times": 0}, "action": {"status": 503}})
    page = hers.get(page_of(agency)).content.decode()
    assert "cannot be shown" in page and "Try again" in page


def test_an_agency_without_leave_to_open_its_locations_is_explained(sandbox, ada, northgate, hers):
    sandbox.settings(bulk_install=True)
    agency = consent(ada, northgate, sandbox, without=connect.AGENCY_SCOPES)
    assert "oauth.readonly" in hers.get(page_of(agency)).content.decode()


def test_disconnecting_the_last_location_forgets_the_agency(agency, ada):
    (first, second), _ = connect_some(agency, ada, 2)
    connect.disconnect(first)
    assert Agency.objects.exists()
    connect.disconnect(second)
    assert not Agency.objects.exists()


def test_an_agencys_access_can_be_forgotten_by_itself(hers, agency, ada):
    (connection,), _ = connect_some(agency, ada, 1)
    hers.post(f"/connections/agencies/{agency.pk}/forget/")
    assert not Agency.objects.exists()
    connection.refresh_from_db()
    assert connection.is_active and connection.agency is None


def test_reconnecting_one_location_needs_no_choice(agency, ada, northgate, sandbox, hers):
    (connection,), _ = connect_some(agency, ada, 1)
    connection.park("needs_reauth", "x")
    from urllib.parse import parse_qsl, urlsplit

    address = hers.post(f"/connections/{connection.pk}/reconnect/")["Location"]
    state = dict(parse_qsl(urlsplit(address).query))["state"]
    answer = hers.get("/connections/callback/", {"code": sandbox.get("credentials")["company_code"], "state": state})
    assert answer["Location"] == "/connections/"
    connection.refresh_from_db()
    assert connection.is_active and connection.agency == agency


def test_another_consent_takes_the_place_of_the_old_one(agency, ada, northgate, sandbox):
    again = consent(ada, northgate, sandbox)
    assert again.pk == agency.pk
    assert again.access_token != agency.access_token


@pytest.mark.parametrize("who", ["ana", "max_", "cy"])
def test_only_an_admin_of_the_business_finds_the_agency(who, request, as_user, agency):
    client = as_user(request.getfixturevalue(who))
    assert client.get(page_of(agency)).status_code == 404
    assert client.post(page_of(agency), {"location": "x"}).status_code == 404
    assert client.post(f"/connections/agencies/{agency.pk}/forget/").status_code == 404
    assert Agency.objects.exists()
