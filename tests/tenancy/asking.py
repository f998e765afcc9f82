"""Ask an address as somebody, in every way a browser can."""

from django.apps import apps
from django.conf import settings
from django.db import transaction
from django.test import Client
from django.urls import reverse

from tests.tenancy.addresses import WAYS

OUR_ROWS = {"contacts", "integrations", "account"}


def signed_in(user):
    client = Client(raise_request_exception=False)
    if user:
        client.force_login(user)
    return client


def url_of(name, address, ours):
    named = [getattr(ours, each, each) for each in address.of]
    return reverse(name, args=[getattr(each, "pk", each) for each in named])


def body_of(address, ours):
    rows = address.body or {}
    return {k: getattr(ours, v[1:]).pk if str(v).startswith("@") else v for k, v in rows.items()}


def methods_of(address):
    return {"GET": address.reads, "HEAD": address.reads, "POST": address.body is not None}


def ask(client, method, name, address, ours, headers=None):
    data = body_of(address, ours) if method == "POST" else None
    return getattr(client, method.lower())(url_of(name, address, ours), data, headers=headers)


def tried(addresses, client, ours, verdict, ways=WAYS):
    """Ask every address in every way; the sentences of `verdict` about the answers, and about what was changed.

    `verdict(answer, address, is_offered)` says what is wrong with one answer, or nothing.
    """
    wrong, count, before = [], 0, everything()
    for name, address in addresses.items():
        with transaction.atomic():
            for method, is_offered in methods_of(address).items():
                for way, headers in ways.items():
                    answer = ask(client, method, name, address, ours, headers)
                    count += 1
                    if problem := verdict(answer, address, is_offered):
                        wrong.append(f"{name} {method} {way}: {problem}")
            if changed := changes_since(before):
                wrong.append(f"{name} changed {', '.join(changed)}")
            transaction.set_rollback(True)
    print(f"{len(addresses)} addresses, {count} requests")
    return wrong


def everything():
    """All rows of ours there are."""
    models = [model for model in apps.get_models() if model._meta.app_label in OUR_ROWS]
    return {model: list(model._base_manager.order_by("pk").values_list()) for model in models}


def changes_since(before):
    return [model._meta.label for model, rows in everything().items() if rows != before[model]]


def finds_nothing(answer, address, is_offered):
    """404; a method that the address does not have is refused before anybody looks for a row."""
    expected = 404 if is_offered else 405
    return "" if answer.status_code == expected else f"answered {answer.status_code}, not {expected}"


def is_sent_to_sign_in(answer, address, is_offered):
    target = answer.get("Location") or answer.get("HX-Redirect", "")
    if target.startswith(reverse(settings.LOGIN_URL)) and answer.status_code in (200, 302):
        return "answered with content" if answer.content else ""
    return "" if answer.status_code == (404 if is_offered else 405) else f"answered {answer.status_code}"
