"""Many contacts: the search, the old list, those of a business, and the look for a duplicate."""

from .. import search
from ..answers import Answer, absent, bad_request, invalid
from ..contact_shapes import by_id, full_name, list_row, search_row
from ..phones import normalised
from ..routing import OLD, operation
from ..validation import anything, number, query_number, query_text, rows, text, validated, whole

READ = "contacts.readonly"
BODY = {
    "locationId": text(required=True),
    "pageLimit": number(required=True),
    "page": number(),
    "searchAfter": anything(nullable=True),
    "query": text(nullable=True, max_length=search.LONGEST_VALUE),
    "filters": rows(),
    "sort": rows(),
}


@operation("POST", "/contacts/search", READ, group="search")
def search_contacts(call):
    body = validated(call.body(), BODY)
    location = call.enter(body["locationId"])
    limit = whole("pageLimit", body["pageLimit"], 1, 500)
    sort = search.checked_sort(body.get("sort") or search.NEWEST_FIRST)
    cursor = body.get("searchAfter")
    if cursor and "page" in body:
        raise bad_request("page and searchAfter can not be used together")
    entries = search.found(location, body.get("filters") or [], body.get("query") or "", sort)
    if cursor:
        first = search.start_after(entries, cursor, sort)
    else:
        page = whole("page", body.get("page", 1), 1)
        if page * limit > search.DEEPEST_PAGE:
            raise bad_request("page * pageLimit can not exceed 10000, use searchAfter instead")
        first = (page - 1) * limit
    rows_found = [search_row(contact, location, values) for values, contact in entries[first : first + limit]]
    return Answer({"contacts": rows_found, "total": len(entries)})


@operation("GET", "/contacts/", READ, versions=OLD, group="search")
def old_list(call):
    location = call.enter(query_text(call.query, "locationId"))
    limit = query_number(call.query, "limit", 20, 1, 100)
    after = query_number(call.query, "startAfter", None)
    after_id = call.query.get("startAfterId")
    entries = search.found(location, [], call.query.get("query", ""), search.NEWEST_FIRST)
    # Half a cursor is no cursor: startAfter alone repeats the first page.
    cursor = [after, after_id] if after is not None and after_id else None
    first = search.start_after(entries, cursor, search.NEWEST_FIRST) if cursor else 0
    page = entries[first : first + limit]
    more = first + limit < len(entries)
    number_of_page = first // limit + 1
    last = page[-1] if page else None
    meta = {
        "total": len(entries),
        # The real one names another host, over http. Following it is the trap it is meant to be.
        "nextPageUrl": f"http://backend.leadconnectorhq.com/contacts/?locationId={location.id}&limit={limit}"
        f"&startAfter={last[0][0]}&startAfterId={last[1]['id']}"
        if more and last
        else None,
        "startAfterId": last[1]["id"] if last else None,
        "startAfter": last[0][0] if last else None,
        "currentPage": number_of_page,
        "nextPage": number_of_page + 1 if more else None,
        "prevPage": number_of_page - 1 if number_of_page > 1 else None,
    }
    return Answer({"contacts": [list_row(contact) for _, contact in page], "count": len(entries), "meta": meta})


@operation("GET", "/contacts/business/{business_id}", READ, group="search")
def of_business(call):
    location = call.enter(query_text(call.query, "locationId"))
    business_id = call.captured["business_id"]
    if location.businesses.get(business_id) is None:
        raise absent("Business", business_id)
    limit = query_number(call.query, "limit", 25, 1, 100)
    skip = query_number(call.query, "skip", 0, 0)
    query = call.query.get("query", "").lower()
    members = [contact for contact in location.contacts if contact.get("businessId") == business_id]
    if query:
        test = search.matcher([], query, location)
        members = [contact for contact in members if test(contact)]
    members.sort(key=_name_and_id)
    cursor = call.query_values("startAfter") if call.is_v3 else []
    if any(cursor):
        skip = _after_name(members, cursor)
    page = members[skip : skip + limit]
    return Answer({"contacts": [list_row(contact) for contact in page], "count": len(members)})


def _name_and_id(contact):
    return full_name(contact).lower(), contact["id"]


def _after_name(members, cursor):
    """v3's cursor for a business: name and id of the last row. A name may hold commas of its own."""
    *name, contact_id = cursor
    name = ",".join(name)
    return sum(_name_and_id(contact) <= (name.lower(), contact_id) for contact in members)


@operation("GET", "/contacts/search/duplicate", READ)
def duplicate(call):
    location = call.enter(query_text(call.query, "locationId"))
    address, phone = call.query.get("email"), call.query.get("number")
    if not address and not phone:
        raise invalid(["email or number should not be empty"])
    # An unescaped plus arrives as a space.
    phone = normalised("+" + phone.strip() if phone and phone.startswith(" ") else phone, location.record["country"])
    twin, field = location.duplicate_of(address, phone)
    if twin is None:
        return Answer({"contact": None})
    return Answer({"contact": by_id(twin, call.is_v3), "matchingField": field})
