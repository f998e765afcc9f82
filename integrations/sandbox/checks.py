"""Version, then token, then rate, then scope, then location; existence is asked by each answer."""

from urllib.parse import parse_qsl

from .answers import Refused, bad_request, forbidden, invalid, unauthorized
from .routing import VERSIONS, router


class Call:
    """One API request, with what the checks found out about it."""

    def __init__(self, sandbox, method, path, query, headers, body):
        self.sandbox, self.method, self.path, self.headers, self.raw = sandbox, method, path, headers, body
        self.query_pairs = parse_qsl(query, keep_blank_values=True) if query else []
        self.query = dict(self.query_pairs)
        self.version = headers.get("version", "")
        self.token = self.operation = self.location = None
        self.captured = {}
        self.json = None
        self.form = None
        self.rate_key = None
        self.stale_seconds = 0
        self.committed = False
        self.now = sandbox.config.now_ms()
        self.wrote = []
        # Another location's rows are to be shown as this one's.
        self.elsewhere = None
        self.swaps = {}

    @property
    def is_v3(self):
        return self.version == "v3"

    @property
    def company(self):
        return self.sandbox.company

    def body(self):
        if not isinstance(self.json, dict):
            if self.raw and self.json is None:
                raise bad_request("Unexpected token in JSON at position 0")
            raise invalid(["body must be an object"])
        return self.json

    def query_values(self, name):
        """A list in the query: repeated (`a=1&a=2`), repeated with brackets (`a[]=1&a[]=2`), or with commas."""
        values = [value for given, value in self.query_pairs if given in (name, f"{name}[]")]
        return values[0].split(",") if len(values) == 1 else values

    def enter(self, location_id):
        """The location a request names, when its token may go there."""
        if self.token.kind == "company":
            if self.operation.access != "either":
                raise forbidden()
            location = self.company.locations.get(location_id)
        else:
            location = self.company.locations.get(location_id) if location_id == self.token.location_id else None
        if location is None:
            raise forbidden()
        if location.id in self.sandbox.credentials.suspended:
            raise forbidden()
        location = self.elsewhere or location
        self.location = location.rewound(self.stale_seconds) if self.stale_seconds else location
        return self.location

    def home(self):
        """The location of the token, for paths that name none."""
        if self.token.location_id is None:
            raise forbidden()
        return self.enter(self.token.location_id)

    def home_of(self, kind, record_id):
        """Like home(), but 403 when the record is another location's."""
        if self.elsewhere:
            return self.home()
        holder = self.company.location_with(kind, record_id)
        if holder is not None and holder.id != self.token.location_id:
            raise forbidden()
        return self.home()

    def signature(self):
        """Who a record says it was changed by."""
        return {
            "source": "INTEGRATION",
            "channel": "OAUTH" if self.token.kind != "private" else "PRIVATE_INTEGRATION",
            "sourceId": self.token.app,
            "timestamp": self.now,
        }


def route(call):
    """The operation for (Version, path); unknown paths and v3's removed ones are refused here."""
    found = list(router.find(call.method, call.path))
    # The token endpoint takes calls without a Version, as it always did.
    open_to_all = found and found[0][0].access == "none"
    if not call.version and not open_to_all:
        raise unauthorized("version header was not found.")
    if call.version and call.version not in VERSIONS:
        raise unauthorized("version header is invalid")
    for operation, captured in found:
        if not call.version or call.version in operation.versions:
            call.operation = operation
            call.captured = captured | {name: value for name, value in call.swaps.items() if name in captured}
            return operation
    if found and call.is_v3:
        raise bad_request(
            f"Endpoint {call.path} not available in API version v3. This endpoint was removed in version v3. "
            "Please use a version before v3."
        )
    path = call.path
    raise Refused(404, {"message": f"Cannot {call.method} {path}", "error": "Not Found", "statusCode": 404})


def identify(call):
    """The token, alive, and the key its requests are counted under."""
    value = bearer(call.headers.get("authorization", ""))
    call.token = call.sandbox.credentials.living_token(value, call.sandbox.clock())
    if call.token is None:
        raise unauthorized("Invalid JWT")
    call.rate_key = call.token.rate_key


def bearer(header):
    """The token, with or without `Bearer` before it: GHL's own help pages send it bare."""
    header = header.strip()
    return header[7:].strip() if header[:7].lower() == "bearer " else header


def permit(call):
    access, token = call.operation.access, call.token
    if token.location_id in call.sandbox.credentials.suspended:
        raise forbidden()
    if access == "company" and token.kind != "company":
        raise unauthorized("The token is not authorized for this scope.")
    scopes = call.operation.scope
    if scopes and not any(scope in token.scopes for scope in ([scopes] if isinstance(scopes, str) else scopes)):
        raise unauthorized("The token is not authorized for this scope.")
