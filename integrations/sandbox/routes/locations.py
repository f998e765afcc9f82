"""The location itself."""

from zoneinfo import available_timezones

from ..answers import Answer, forbidden
from ..routing import V3, operation
from ..validation import query_number

READ = "locations.readonly"


@operation("GET", "/locations/search", READ, access="either")
def search(call):
    if call.query.get("companyId", call.token.company_id) != call.token.company_id:
        raise forbidden()
    mine = [
        one
        for one in call.company.locations.values()
        if call.token.location_id in (None, one.id)
        and call.query.get("email", one.record["email"]) == one.record["email"]
    ]
    skip, limit = query_number(call.query, "skip", 0, 0), query_number(call.query, "limit", 10, 1, 100)
    return Answer({"locations": [one.record for one in mine[skip : skip + limit]]})


@operation("GET", "/locations/{location_id}", READ, access="either")
def read(call):
    return Answer({"location": call.enter(call.captured["location_id"]).record})


@operation("GET", "/locations/{location_id}/timezones", READ)
def timezones(call):
    call.enter(call.captured["location_id"])
    return Answer({"timeZones": sorted(available_timezones())})


@operation("GET", "/locations/{location_id}/permissions", READ, versions=V3)
def permissions(call):
    return Answer({"permissions": call.enter(call.captured["location_id"]).record["permissions"]})
