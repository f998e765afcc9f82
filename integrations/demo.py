"""The demo's people, its connected Business and its ERP, made the way a person would: through the real consent page."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from django.contrib.auth import get_user_model

from contacts.models import Business, Location, Membership, Role
from integrations.access import connect
from integrations.automations import backtest, recipes
from integrations.management.commands.sync import wait_for
from integrations.models import ApiKey, OutgoingHook, Rule, Scope
from integrations.reading import reference, sync

BUSINESS = "Northgate Roofing"
PASSWORD = "demo-pass-2026"  # noqa: S105 (only ever in a demo)
PEOPLE = [
    (Role.STAFF, "Sam Stafford", "staff@example.com"),
    (Role.MANAGER, "Mara Manning", "manager@example.com"),
    (Role.ADMIN, "Ada Adeyemi", "admin@example.com"),
]
SESSION = "demo"
ERP = "Rankr (pretend)"
RECIPES = ("invoice-overdue", "invoice-paid", "order-shipped")


def prepare(public_url, sandbox_url, erp_url, echo):
    """Users of each role and a connected, synced Business. [(role, e-mail, password)]. Safe to repeat."""
    business, _ = Business.objects.get_or_create(name=BUSINESS)
    people = [_person(business, role, name, email) for role, name, email in PEOPLE]
    credentials = requests.get(f"{sandbox_url}/__sandbox__/credentials", timeout=10).json()
    location = Location.objects.filter(remote_id=credentials["location_id"]).select_related("connection").first()
    if location is None or not location.connection.is_active or not _works(location.connection):
        echo("Connecting the demo business through GHL's consent page …")
        connection = _connect(people[-1], business, credentials["location_id"])
        run = wait_for(sync.start(connection))
        echo(f"Read {run.counts['contacts']['done']} contacts with {run.requests} requests.")
        _link(connection.location, people)
    introduce(erp_url, public_url, business, people[-1])
    automate(business, people[-1])
    return [(str(role.label), email, PASSWORD) for role, _, email in PEOPLE]


def introduce(erp_url, public_url, business, admin):
    """The pretend ERP gets a key, and is told what happens. It forgets both whenever it is started anew."""
    ApiKey.objects.filter(business=business, name=ERP).delete()
    _key, token, _secret = ApiKey.objects.make(business, ERP, Scope.values, admin)
    ears = f"{erp_url}/webhooks/rankr"
    hook = OutgoingHook.objects.filter(business=business, name=ERP, removed_at=None).first()
    hook = hook or OutgoingHook.objects.make(business, admin, name=ERP, url=ears)
    if hook.url != ears:
        hook.change(admin, url=ears)
    settings = {"url": public_url, "key": token, "secret": hook.secret}
    requests.post(f"{erp_url}/__erp__/settings", json=settings, timeout=60).raise_for_status()


def automate(business, admin):
    """Some recipes are switched on, so that what the pretend ERP sends leads to something. Each once: then it is the
    admin's."""
    for one in recipes.RECIPES:
        if one.slug in RECIPES and not Rule.objects.filter(business=business, recipe=one.slug).exists():
            rule = Rule.objects.make(business, str(one.name), one.spec, admin, recipe=one.slug)
            Rule.objects.filter(pk=rule.pk).update(staged_left=0)
            backtest.try_out(rule.current)
            rule.switch_on()


def _person(business, role, name, email):
    users = get_user_model().objects
    user = users.filter(email=email).first() or users.create_user(email, PASSWORD, name=name)
    Membership.objects.get_or_create(user=user, business=business, defaults={"role": role})
    return user


def _works(connection):
    """A pretend GHL that was started anew knows nothing of the tokens it gave in its former life."""
    from integrations.gateway import client_for
    from integrations.ghl.errors import GhlError

    try:
        with client_for(connection, "interactive") as client:
            client.search_contacts(page_limit=1)
    except GhlError:
        return False
    return True


def _connect(admin, business, location_id):
    address = connect.begin(admin, business, SESSION)
    query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    page = requests.get(address, timeout=10)
    granted = re.findall(r'name="granted_scope" value="([^"]+)"', page.text)
    form = [*query.items(), *(("granted_scope", scope) for scope in granted), ("location_id", location_id)]
    answer = requests.post(
        address.split("?")[0], data=urlencode(form), timeout=10, allow_redirects=False,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    return connect.finish(admin, SESSION, back["state"][0], back["code"][0])


def _link(location, people):
    """The demo's people are the account's users, so that Today has something to show."""
    reference.link_users(location)
    free = list(location.remote_users.filter(user=None, is_active=True))
    for person, remote in zip([p for p in people if not p.remote_users.exists()], free, strict=False):
        remote.user = person
        remote.save(update_fields=["user"])
