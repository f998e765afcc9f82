"""Users: people of the company, each with the locations they may enter."""

from ..answers import Answer, absent, forbidden
from ..routing import OLD, operation
from ..validation import query_number, query_text

READ = "users.readonly"


def shape(user):
    return {name: value for name, value in user.items() if name != "dateAdded"}


@operation("GET", "/users/", READ, versions=OLD)
def of_location(call):
    location = call.enter(query_text(call.query, "locationId"))
    return Answer({"users": [shape(user) for user in location.users]})


@operation("GET", "/users/search", READ, access="either")
def search(call):
    if query_text(call.query, "companyId") != call.token.company_id:
        raise forbidden()
    location_id = call.query.get("locationId") or call.token.location_id
    locations = [call.enter(location_id)] if location_id else call.company.locations.values()
    words = call.query.get("query", "").lower()
    found = {
        user["id"]: shape(user)
        for location in locations
        for user in location.users
        if words in f"{user['name']} {user['email']}".lower()
        if not call.query.get("role") or user["roles"]["role"] == call.query["role"]
        if not call.query.get("ids") or user["id"] in call.query["ids"].split(",")
    }
    skip = query_number(call.query, "skip", 0, 0)
    limit = query_number(call.query, "limit", 25, 1, 100)
    return Answer({"users": list(found.values())[skip : skip + limit], "count": len(found)})


@operation("GET", "/users/{user_id}", READ, access="either")
def read(call):
    user = call.company.user(call.captured["user_id"])
    if user is None:
        raise absent("User", call.captured["user_id"])
    if call.token.location_id and call.token.location_id not in user["roles"]["locationIds"]:
        raise forbidden()
    return Answer(shape(user))
