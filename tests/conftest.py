"""The cast. Ana, Max and Ada work at Northgate Roofing: staff, manager, admin. Cy works elsewhere."""

import pytest
from django.test import Client

from contacts.models import Business, Contact, Location, Membership, Role, User
from integrations.management.commands.sync import wait_for
from integrations.reading import sync
from rankr_dash.shared_redis import shared_redis
from tests.sandbox_control import Sandbox, consent


@pytest.fixture(autouse=True)
def quick_passwords(request, settings):
    """Hashing a password well takes a third of a second, which is the point of it, but not of these tests."""
    if not request.node.get_closest_marker("browser"):  # there a process of its own checks the password
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def northgate(db):
    return Business.objects.create(name="Northgate Roofing")


def member(business, name, role):
    user = User.objects.create_user(f"{name.lower()}@example.com", "correct horse", name=name)
    Membership.objects.create(user=user, business=business, role=role)
    return user


@pytest.fixture
def ana(northgate):
    return member(northgate, "Ana", Role.STAFF)


@pytest.fixture
def max_(northgate):
    return member(northgate, "Max", Role.MANAGER)


@pytest.fixture
def ada(northgate):
    return member(northgate, "Ada", Role.ADMIN)


@pytest.fixture
def cy(db):
    return member(Business.objects.create(name="Initech"), "Cy", Role.ADMIN)


@pytest.fixture
def as_user():
    """A browserless client signed in as somebody."""

    def sign_in(user):
        client = Client()
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def location(northgate):
    return Location.objects.create(
        business=northgate, remote_id="locNorthgate0000001", name="Northgate Roofing", time_zone="America/Chicago"
    )


@pytest.fixture
def contact(location):
    return Contact.objects.create(
        location=location, remote_id="conMarisol0000000001", first_name="Marisol", last_name="Okonkwo",
        email="marisol@example.com", phone="+13125550148", tags=["insurance"],
    )  # fmt: skip


# --- the sandbox GHL --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def sandbox_process():
    sandbox = Sandbox("--contacts", "40", "--rate", "0", "--lag-s", "0")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(sandbox_process, settings):
    """A freshly seeded GHL of forty contacts that our settings point at. No rate limit, no index lag."""
    sandbox_process.reset()
    settings.GHL_API_BASE = settings.GHL_MARKETPLACE_BASE = sandbox_process.url
    settings.GHL_CLIENT_ID = sandbox_process.credentials["client_id"]
    settings.GHL_CLIENT_SECRETS = [sandbox_process.credentials["client_secret"]]
    settings.GHL_RATE_LIMIT = 100_000
    settings.GHL_TIMEOUT_S = 5.0
    shared_redis().flushdb()
    yield sandbox_process
    sandbox_process.no_faults()


@pytest.fixture
def connection(sandbox, ada, northgate):
    """Connected by Ada through the consent page; nothing is read yet."""
    return consent(ada, northgate, sandbox)


@pytest.fixture
def synced(connection):
    """Connected and read once, whole."""
    run = wait_for(sync.start(connection))
    assert run.outcome == "complete", run.stop_reason
    return connection
