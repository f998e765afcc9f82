"""What a location is made of besides people: settings, users, fields, tags, calendars, companies."""

from contacts.models import Calendar, Company, CustomField, RemoteUser, Tag, User
from integrations.ghl import errors, payloads
from integrations.reading.lists import of_location

COMPANIES_PAGE = 100


def read(client, connection, location, only=None):
    """Read all that the granted scopes allow, or what `only` these give. How many kinds were read."""
    steps = [
        ("locations.readonly", _location),
        ("users.readonly", _users),
        ("locations/customFields.readonly", _custom_fields),
        ("locations/tags.readonly", _tags),
        ("calendars.readonly", _calendars),
        ("businesses.readonly", _companies),
    ]
    done = 0
    for scope, step in steps:
        if not connection.has_scope(scope) or (only and scope not in only):
            continue
        try:
            step(client, location)
        except errors.ScopeMissing:
            connection.lose_scopes(scope)
        else:
            done += 1
    return done


def _location(client, location):
    values = payloads.location_values(client.location())
    _save_if_moved(
        location,
        name=values["name"],
        time_zone=values["time_zone"] or "UTC",
        currency=values["currency"][:3],
        allow_duplicates=values["allow_duplicates"],
    )


def _users(client, location):
    rows = [payloads.user_values(row) for row in _of_users(client.users(), location)]
    keep(location, RemoteUser, [{"remote_id": r["remote_id"], "name": r["name"], "email": r["email"]} for r in rows])
    link_users(location)


def _of_users(rows, location):
    """Users say where they work in a list of their own. Nobody of this location means that the answer is another's."""
    places = [(row.get("roles") or {}).get("locationIds") for row in rows if isinstance(row.get("roles"), dict)]
    if rows and places and all(isinstance(ids, list) and ids and location.remote_id not in ids for ids in places):
        raise errors.BadAnswer("the users are another location's")
    return rows


def link_users(location):
    """A member whose e-mail is the GHL user's is the same person, unless an admin has decided otherwise."""
    members = User.objects.filter(memberships__business=location.business).exclude(remote_users__location=location)
    for remote in location.remote_users.filter(user=None, is_decided=False).exclude(email=""):
        user = members.filter(email__iexact=remote.email).first()
        if user:
            remote.user = user
            remote.save(update_fields=["user"])


def _custom_fields(client, location):
    """Fields stand in folders, of which GHL always gives the id, and the name only where it lists them as well."""
    keys = ("remote_id", "name", "key", "data_type", "options", "position", "group")
    rows = [payloads.custom_field_values(row) for row in of_location(client.custom_fields(), location)]
    folders = {row["remote_id"]: row["name"] for row in rows if row["is_folder"]}
    fields = [row for row in rows if not row["is_folder"]]
    keep(
        location,
        CustomField,
        [{key: row[key] for key in keys} | {"group_name": folders.get(row["group"], "")} for row in fields],
    )


def _tags(client, location):
    rows = [payloads.tag_values(row) for row in of_location(client.tags(), location)]
    keep(location, Tag, rows, by="name")


def _calendars(client, location):
    rows = [payloads.calendar_values(row) for row in of_location(client.calendars(), location)]
    keep(location, Calendar, rows)


def _companies(client, location):
    rows, skip = [], 0
    while True:
        page = of_location(client.businesses(limit=COMPANIES_PAGE, skip=skip), location)
        rows += [payloads.business_values(row) for row in page]
        if len(page) < COMPANIES_PAGE:
            break
        skip += COMPANIES_PAGE
    names = {field.name for field in Company._meta.fields}
    keep(location, Company, [{key: value for key, value in row.items() if key in names} for row in rows])


def keep(location, model, rows, by="remote_id"):
    """Insert what is new and update what differs; nothing is written for equal rows, nothing is ever removed."""
    known = {getattr(row, by): row for row in model.objects.filter(location=location)}
    new, moved = {}, []
    for values in rows:
        row = known.get(values[by])
        if row is None:
            new[values[by]] = model(location=location, **values)
        elif any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            moved.append(row)
    model.objects.bulk_create(new.values(), ignore_conflicts=True)
    if moved:
        model.objects.bulk_update(moved, list(rows[0]))


def _save_if_moved(row, **values):
    moved = [name for name, value in values.items() if getattr(row, name) != value]
    for name in moved:
        setattr(row, name, values[name])
    if moved:
        row.save(update_fields=moved)
