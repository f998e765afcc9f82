"""Rows for the pages about contacts."""

import uuid

import pytest
from django.utils import timezone

from contacts.models import Appointment, Business, Contact, HistoryEvent, Location, Membership, RemoteUser, Task


@pytest.fixture
def own_cache(settings):
    """A cache of this test's own: nobody else's attempts count towards its rate limits."""
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid.uuid4().hex}}


@pytest.fixture
def client_of_ana(as_user, ana):
    return as_user(ana)


@pytest.fixture
def add_contact(location):
    """Makes a contact; its name is enough."""

    def add(name="", **values):
        first, _, last = name.partition(" ")
        values = {"location": location, "first_name": first, "last_name": last, **values}
        return Contact.objects.create(**values)

    return add


@pytest.fixture
def add_task():
    def add(contact, title="Call back", due_at=None, **values):
        return Task.objects.create(location=contact.location, contact=contact, title=title, due_at=due_at, **values)

    return add


@pytest.fixture
def add_appointment():
    def add(contact, starts_at, title="Roof walk", **values):
        return Appointment.objects.create(
            location=contact.location, contact=contact, title=title, starts_at=starts_at, **values
        )

    return add


@pytest.fixture
def add_event():
    def add(contact, kind="note_added", **values):
        values = {"actor_kind": "person", "actor_name": "Dana Whitlock", "happened_at": timezone.now(), **values}
        return HistoryEvent.objects.create(location=contact.location, contact=contact, kind=kind, **values)

    return add


@pytest.fixture
def dana(location):
    """A GHL user whom Rankr knows by no account of ours."""
    return RemoteUser.objects.create(location=location, remote_id="userDana00000000001", name="Dana Whitlock")


@pytest.fixture
def ana_in_ghl(ana, location):
    """Ana as GHL knows her: tasks and contacts of this GHL user are hers."""
    return RemoteUser.objects.create(
        location=location, remote_id="userAna000000000001", name="Ana", email=ana.email, user=ana
    )


@pytest.fixture
def second_business(ana):
    """Harbor Dental, where Ana works too."""
    business = Business.objects.create(name="Harbor Dental")
    Membership.objects.create(user=ana, business=business)
    return business


@pytest.fixture
def second_location(second_business):
    return Location.objects.create(
        business=second_business, remote_id="locHarbor0000000001", name="Harbor Dental", time_zone="America/New_York"
    )
