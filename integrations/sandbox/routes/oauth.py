"""The token endpoint, and what a company token can do with locations."""

from urllib.parse import parse_qsl

from ..answers import Answer, Refused, bad_request, forbidden, invalid, unauthorized
from ..moments import iso
from ..oauth import GrantRefused, NotActive
from ..routing import OLD, V3, operation
from ..validation import query_number, query_text

GRANTS = ("authorization_code", "refresh_token", "client_credentials")
REMOVED = "API endpoint has been removed"


@operation("POST", "/oauth/token", access="none", group="oauth")
def token(call):
    fields = _snake(_sent(call)) if call.is_v3 else _form(call)
    grant_type = fields.get("grant_type")
    missing = [name for name in ("client_id", "client_secret", "grant_type") if not fields.get(name)]
    if missing:
        raise _missing(call, missing)
    if grant_type not in GRANTS:
        if call.is_v3:
            raise bad_request("Invalid parameter: grantType")
        raise invalid([f"grant_type must be one of the following values: {', '.join(GRANTS)}"])
    credentials = call.sandbox.credentials
    if not credentials.knows_client(fields["client_id"], fields["client_secret"]):
        raise _oauth_error(401, "invalid_client", "Invalid client credentials!")
    if grant_type == "client_credentials":
        raise _oauth_error(400, "unsupported_grant_type", "Unsupported grant type: client_credentials")
    needed = "code" if grant_type == "authorization_code" else "refresh_token"
    if not fields.get(needed):
        raise _missing(call, [needed])
    now = call.sandbox.clock()
    try:
        if grant_type == "authorization_code":
            grant = credentials.codes.get(fields["code"])
            issued = credentials.redeem_code(fields["code"], fields.get("redirect_uri"), now)
            call.sandbox.announce_install(grant)
        else:
            issued = credentials.rotate(fields["refresh_token"], now)
    except GrantRefused as reason:
        raise _oauth_error(400, "invalid_grant", str(reason)) from None
    except NotActive as reason:
        raise bad_request(str(reason)) from None
    call.sandbox.noted_write = True
    call.token = issued
    body = _token_body(call, issued)
    return Answer(_camel(body) if call.is_v3 else body)


@operation("POST", "/oauth/locationToken", "oauth.write", versions=OLD, access="company", group="oauth")
@operation("POST", "/oauth/location-token", "oauth.write", versions=V3, access="company", group="oauth")
def location_token(call):
    fields = _sent(call)
    missing = [name for name in ("companyId", "locationId") if not fields.get(name)]
    if missing:
        raise invalid([f"{name} should not be empty" for name in missing])
    if fields["companyId"] != call.token.company_id or fields["locationId"] not in call.company.locations:
        raise forbidden()
    credentials = call.sandbox.credentials
    if fields["locationId"] in credentials.suspended:
        raise bad_request("Location is not active")
    if fields["locationId"] not in credentials.installed:
        raise bad_request("App is not installed in this location")
    scopes = [scope for scope in call.token.scopes if not scope.startswith("oauth.")]
    issued = credentials.new_pair(credentials.grant_for(fields["locationId"], scopes))
    call.sandbox.noted_write = True
    body = {
        "access_token": issued.value,
        "token_type": "Bearer",
        "expires_in": call.sandbox.config.access_token_lifetime_s,
        "refresh_token": issued.refresh_token,
        "scope": " ".join(sorted(issued.scopes)),
        "locationId": issued.location_id,
        "userId": issued.user_id,
        "appId": credentials.app_id,
        "versionId": credentials.version_id,
    }
    return Answer(_camel(body) if call.is_v3 else body)


@operation("GET", "/oauth/installedLocations", "oauth.readonly", versions=OLD, access="company", group="oauth")
def installed_locations(call):
    found = _installed(call)
    skip = query_number(call.query, "skip", 0, 0)
    limit = query_number(call.query, "limit", 20, 1, 100)
    return Answer({"locations": found[skip : skip + limit], "count": len(found), "installToFutureLocations": False})


@operation("GET", "/oauth/installed-locations", "oauth.readonly", versions=V3, access="company", group="oauth")
def installed_locations_v3(call):
    found = _installed(call)
    size = query_number(call.query, "pageSize", 20, 1, 100)
    first = query_number(call.query, "pageToken", 0, 0)
    more = first + size < len(found)
    page = found[first : first + size]
    pagination = {
        "totalRecords": len(found),
        "hasNextPage": more,
        "hasPrevPage": first > 0,
        "nextPageToken": str(first + size) if more else None,
        "prevPageToken": str(max(0, first - size)) if first else None,
        "currentPageSize": len(page),
        "estimatedTotalRecords": len(found),
    }
    metadata = {"filterApplied": {}, "sortApplied": {}}
    return Answer({"items": page, "pagination": pagination, "metadata": metadata, "installToFutureLocations": False})


@operation("POST", "/oauth/reconnect", access="none", group="oauth")
def reconnect(call):
    raise bad_request(REMOVED)


def _token_body(call, issued):
    body = {
        "access_token": issued.value,
        "token_type": "Bearer",
        "expires_in": max(0, round(issued.expires_at - call.sandbox.clock())),
        "refresh_token": issued.refresh_token,
        "scope": " ".join(sorted(issued.scopes)),
        "userType": "Company" if issued.kind == "company" else "Location",
        "companyId": issued.company_id,
        "userId": issued.user_id,
        "isBulkInstallation": issued.kind == "company",
        "refreshTokenId": issued.refresh_token[-24:],
    }
    if issued.kind == "company" and call.sandbox.config.bulk_install:
        # As seen live: nothing says which location was chosen.
        return body
    if issued.kind == "company":
        return body | {
            "installToFutureLocations": False,
            "approveAllLocations": False,
            "approvedLocations": list(call.sandbox.credentials.installed),
        }
    return body | {"locationId": issued.location_id}


def _form(call):
    media_type = call.headers.get("content-type", "")
    if call.raw and "application/x-www-form-urlencoded" not in media_type:
        raise invalid(["Content-Type must be application/x-www-form-urlencoded"])
    return dict(parse_qsl(call.raw.decode(errors="replace"), keep_blank_values=True))


def _sent(call):
    """Form or JSON."""
    if isinstance(call.json, dict):
        return call.json
    return dict(parse_qsl(call.raw.decode(errors="replace"), keep_blank_values=True))


SNAKE = {
    "clientId": "client_id",
    "clientSecret": "client_secret",
    "grantType": "grant_type",
    "refreshToken": "refresh_token",
    "userType": "user_type",
    "redirectUri": "redirect_uri",
    "code": "code",
}
CAMEL = {
    "access_token": "accessToken",
    "token_type": "tokenType",
    "expires_in": "expiresIn",
    "refresh_token": "refreshToken",
}


def _snake(fields):
    return {SNAKE[name]: value for name, value in fields.items() if name in SNAKE}


def _camel(body):
    return {CAMEL.get(name, name): value for name, value in body.items()}


def _missing(call, names):
    """v3 has its own sentence for this, and names one parameter at a time."""
    if call.is_v3:
        return bad_request(f"Missing parameter: {next(camel for camel, name in SNAKE.items() if name == names[0])}")
    return invalid([f"{name} should not be empty" for name in names])


def _oauth_error(status, code, description):
    body = {"error": code, "error_description": description, "statusCode": status, "message": description}
    return Refused(status, body)


def _installed(call):
    if query_text(call.query, "companyId") != call.token.company_id:
        raise forbidden()
    credentials = call.sandbox.credentials
    if query_text(call.query, "appId") != credentials.app_id:
        raise unauthorized("The token is not authorized for this app.")
    rows = []
    for location in call.company.locations.values():
        since = credentials.installed.get(location.id)
        row = {
            "_id": location.id,
            "name": location.record["name"],
            "address": location.record["address"],
            "isInstalled": since is not None,
        }
        if since is not None:
            row |= {"versionId": credentials.version_id, "installedAt": iso(int(since * 1000))}
        rows.append(row)
    wanted = call.query.get("isInstalled")
    words = call.query.get("query", "").lower()
    return [
        row
        for row in rows
        if (wanted is None or row["isInstalled"] == (wanted == "true"))
        and words in row["name"].lower()
        and call.query.get("locationId", row["_id"]) == row["_id"]
    ]
