"""What GHL has to choose from: workflows, campaigns and the stages of pipelines.

Read when somebody writes a rule, by the same client and budget as everything else, and kept for a while. A rule keeps
only the id, so nothing depends on it.
"""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from redis.exceptions import RedisError

from contacts.models import Business
from integrations.access.tokens import ConnectionParked
from integrations.gateway import client_for
from integrations.ghl import errors
from integrations.models import Connection
from rankr_dash.shared_redis import shared_redis

log = logging.getLogger(__name__)

KEPT_S = 7 * 86_400
FRESH_S = 600  # so long nobody asks again
MOST = 500
LISTS = {
    "workflows": ("/workflows/", "workflows.readonly"),
    "campaigns": ("/campaigns/", "campaigns.readonly"),
    "pipelines": ("/opportunities/pipelines", "opportunities.readonly"),
}


@dataclass(frozen=True)
class Offered:
    """`names` are (id, name). `is_coming`: GHL is being asked. `why_not` says why there is nothing to choose from."""

    names: list[tuple[str, str]]
    is_coming: bool = False
    why_not: str = ""


def names(kind: str, business: Business) -> list[tuple[str, Any]]:
    """(id, name) as far as they are known; with the location where there are several."""
    connections = list(_connections(business))
    told = _kept(kind, connections)
    found = []
    for connection, one in zip(connections, told, strict=True):
        where = f" ({connection.location})" if len(connections) > 1 else ""
        found += [(known, f"{name}{where}") for known, name in (one or {}).get("names", [])]
    return found


def workflows(business: Business) -> list[tuple[str, Any]]:
    return names("workflows", business)


def campaigns(business: Business) -> list[tuple[str, Any]]:
    return names("campaigns", business)


def stages(business: Business) -> list[tuple[str, Any]]:
    return names("pipelines", business)


def stale(business: Business) -> list[int]:
    """The connections whose lists nobody has asked for lately. From now on somebody has: ring for them."""
    try:
        redis = shared_redis()
        return [one.pk for one in _connections(business) if redis.set(f"ghl:offers:{one.pk}", 1, nx=True, ex=FRESH_S)]
    except (RedisError, OSError):
        return []


def offered(kind: str, business: Business) -> Offered:
    connections = list(_connections(business))
    told = _kept(kind, connections)
    found = names(kind, business)
    if found or not connections:
        return Offered(found, why_not="" if connections else _("No location is connected."))
    why = next((one["why"] for one in told if one and one.get("why")), "")
    return Offered([], is_coming=None in told, why_not=why or _("There is none in GHL yet."))


def read(connection_pk: int) -> None:
    """Ask GHL for all of them. What it refuses is kept as a sentence; what fails for the moment is asked for again."""
    connection = Connection.objects.select_related("location").get(pk=connection_pk)
    try:
        with client_for(connection, "interactive") as client:
            for kind, (path, scope) in LISTS.items():
                _keep(kind, connection, _told(client, connection, kind, path, scope))
    except ConnectionParked:
        for kind in LISTS:
            _keep(kind, connection, {"why": _("This account is not connected to GHL at the moment.")})


def _told(client, connection, kind, path, scope):
    if not connection.is_static and not connection.has_scope(scope):
        return {"why": _("GHL has not granted %(scope)s.") % {"scope": scope}}
    try:
        params = {"locationId": connection.location.remote_id}
        answer = client.transport.request("GET", path, params=params, template=path)
    except ConnectionParked:
        raise
    except errors.GhlError as trouble:
        log.info("connection %s: %s could not be listed: %s", connection.pk, kind, type(trouble).__name__)
        return {"why": _("GHL did not list them.")}
    return {"names": list(_named(kind, answer.get(kind)))[:MOST]}


def _named(kind: str, rows: Any) -> Iterator[tuple[str, str]]:
    for row in rows if isinstance(rows, list) else ():
        if not isinstance(row, dict) or not row.get("id"):
            continue
        name = str(row.get("name") or row["id"])[:200]
        if kind == "pipelines":
            for known, stage in _named("stages", row.get("stages")):
                yield known, f"{name}: {stage}"
        else:
            yield str(row["id"])[:100], name


def _connections(business):
    rows = Connection.objects.filter(location__business=business, status__in=Connection.USABLE)
    return rows.select_related("location").order_by("pk")


def _key(kind, connection):
    return f"ghl:offers:{connection.pk}:{kind}"


def _kept(kind, connections):
    try:
        found = shared_redis().mget([_key(kind, one) for one in connections]) if connections else []
    except (RedisError, OSError):
        found = [None] * len(connections)
    return [json.loads(one) if one else None for one in found]


def _keep(kind, connection, told):
    """A list that was read once outlives a refusal."""
    known = _kept(kind, [connection])[0] or {}
    if "names" in told or "names" not in known:
        shared_redis().set(_key(kind, connection), json.dumps(told), ex=KEPT_S if "names" in told else FRESH_S)
