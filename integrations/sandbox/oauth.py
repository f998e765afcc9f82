"""Apps, codes and tokens: who may do what where, and for how long."""

import base64
import json
import random
import secrets
import time
import uuid
from copy import copy
from dataclasses import dataclass, field

from .scopes import COMPANY_SCOPES, LOCATION_SCOPES
from .store import new_hex_id, new_id

# What of the credentials is plain data; tokens and grants need a hand to be kept.
PLAIN = "app_id version_id client_id client_secrets redirect_uris installed private_tokens location_token".split()  # noqa: SIM905


@dataclass
class Token:
    value: str
    kind: str  # location, company, private
    app: str
    company_id: str
    location_id: str | None
    user_id: str | None
    scopes: frozenset
    expires_at: float | None = None
    refresh_token: str | None = None

    @property
    def rate_key(self):
        """What its requests are counted under."""
        return self.app, self.location_id or self.company_id


@dataclass
class Grant:
    """What a code or refresh token stands for."""

    client_id: str
    kind: str
    company_id: str
    location_id: str | None
    user_id: str | None
    scopes: tuple
    expires_at: float
    redirect_uri: str | None = None
    used_at: float | None = None
    # The one location an agency chose, when the code is nevertheless the company's.
    chosen: str | None = None
    announced: bool = False
    revoked: bool = False
    answered: dict = field(default_factory=dict)


class GrantRefused(Exception):
    """The reason, in the words the token endpoint sends."""


class NotActive(Exception):
    """Its sub-account is suspended."""


class Credentials:
    def __init__(self, config, company, seed):
        chance = random.Random(f"credentials {seed}")
        self.config, self.company = config, company
        self.app_id = new_hex_id(chance)
        self.version_id = new_hex_id(chance)
        self.client_id = f"{self.app_id}-{new_id(chance, 8).lower()}"
        # Two may be valid at once, so that a secret can be changed without a gap.
        self.client_secrets = [str(uuid.UUID(int=chance.getrandbits(128), version=4)) for _ in range(2)]
        self.redirect_uris = list(config.redirect_uris)
        self.tokens, self.codes, self.refresh_tokens = {}, {}, {}
        self.installed = {}
        # Their sub-account exists and is not active: a bill that was not paid.
        self.suspended = set()
        self.changes = 0
        first = company.first
        self.private_tokens = {
            location_id: self.new_private_token(location_id, LOCATION_SCOPES, chance).value
            for location_id in company.locations
        }
        self.location_token = self.new_pair(self.grant_for(first.id)).value

    def accepts_redirect(self, uri):
        if uri in self.redirect_uris:
            return True
        local = uri.startswith(("http://127.0.0.1:", "http://localhost:", "http://127.0.0.1/", "http://localhost/"))
        return local and not self.config.strict

    def knows_client(self, client_id, client_secret):
        return client_id == self.client_id and any(
            secrets.compare_digest(known.encode(), (client_secret or "").encode()) for known in self.client_secrets
        )

    def installer(self, location_id):
        location = self.company.locations.get(location_id) or self.company.first
        return next(iter(location.users.rows), None)

    def grant_for(self, location_id=None, scopes=None, kind="location", redirect_uri=None):
        return Grant(
            client_id=self.client_id,
            kind=kind,
            company_id=self.company.id,
            location_id=location_id if kind == "location" else None,
            user_id=self.installer(location_id),
            scopes=tuple(
                scopes if scopes is not None else LOCATION_SCOPES + (COMPANY_SCOPES if kind == "company" else ())
            ),
            expires_at=time.time() + self.config.code_lifetime_s,
            redirect_uri=redirect_uri,
        )

    def new_code(self, grant):
        code = secrets.token_hex(20)
        self.codes[code] = grant
        self.changes += 1
        return code

    def redeem_code(self, code, redirect_uri, now):
        grant = self.codes.get(code)
        if grant is None or grant.used_at or grant.revoked or grant.expires_at <= now:
            raise GrantRefused("Invalid grant: authorization code is invalid")
        if redirect_uri and grant.redirect_uri and redirect_uri != grant.redirect_uri:
            raise GrantRefused("Invalid grant: redirect_uri does not match")
        grant.used_at = now
        for location_id in self.places_of(grant):
            self.installed.setdefault(location_id, now)
        return self.new_pair(grant)

    def places_of(self, grant):
        """The locations an install with this grant is for."""
        one = grant.location_id or grant.chosen
        return [one] if one else list(self.company.locations)

    def install(self, location_id, now):
        self.changes += 1
        self.installed.setdefault(location_id, now)

    def uninstall(self, location_id):
        """Every token and code of the app for that location dies. Its private tokens are no part of the app."""
        self.changes += 1
        self.installed.pop(location_id, None)
        for token in self.tokens_of(location_id):
            if token.kind == "location":
                del self.tokens[token.value]
        for grant in [*self.refresh_tokens.values(), *self.codes.values()]:
            if location_id in (grant.location_id, grant.chosen) and grant.kind == "location":
                grant.revoked = True

    def rotate(self, refresh_token, now):
        """A new pair for a refresh token; the old one dies, except that twins within the grace get the same pair."""
        grant = self.refresh_tokens.get(refresh_token)
        if grant is None or grant.revoked or grant.expires_at <= now:
            raise GrantRefused("Invalid grant: refresh token is invalid")
        if grant.location_id in self.suspended:
            raise NotActive("Location is not active")
        if grant.used_at is not None:
            if now - grant.used_at < self.config.grace_s:
                return grant.answered["token"]
            raise GrantRefused("Invalid grant: refresh token is invalid")
        grant.used_at = now
        grant.answered["token"] = self.new_pair(grant)
        return grant.answered["token"]

    def new_pair(self, grant):
        now = time.time()
        value = _jwt({"authClass": grant.kind.title(), "primaryAuthClassId": grant.location_id or grant.company_id})
        token = Token(
            value=value,
            kind=grant.kind,
            app=grant.client_id,
            company_id=grant.company_id,
            location_id=grant.location_id,
            user_id=grant.user_id,
            scopes=frozenset(grant.scopes),
            expires_at=now + self.config.access_token_lifetime_s,
            refresh_token=_jwt({"jti": str(uuid.uuid4())}),
        )
        self.changes += 1
        self.tokens[value] = token
        self.refresh_tokens[token.refresh_token] = Grant(
            client_id=grant.client_id,
            kind=grant.kind,
            company_id=grant.company_id,
            location_id=grant.location_id,
            user_id=grant.user_id,
            scopes=grant.scopes,
            expires_at=now + 365 * 86_400,
        )
        return token

    def new_private_token(self, location_id, scopes, chance=None):
        number = (chance or random.SystemRandom()).getrandbits(128)
        value = f"pit-{uuid.UUID(int=number, version=4)}"
        self.changes += 1
        # Each private token counts as its own app.
        self.tokens[value] = Token(
            value=value,
            kind="private",
            app=value[:12],
            company_id=self.company.id,
            location_id=location_id,
            user_id=None,
            scopes=frozenset(scopes),
        )
        return self.tokens[value]

    def welcome(self, location_id):
        """A location that came later has a private token as well."""
        self.private_tokens[location_id] = self.new_private_token(location_id, LOCATION_SCOPES).value

    def uninstall_everywhere(self):
        for location_id in self.company.locations:
            self.uninstall(location_id)
        for token in [token for token in self.tokens.values() if token.kind == "company"]:
            self.revoke(token)
        for grant in self.codes.values():
            grant.revoked = True

    def private_token_for(self, location_id):
        return self.private_tokens[location_id]

    def living_token(self, value, now):
        token = self.tokens.get(value)
        if token is None or (token.expires_at is not None and token.expires_at <= now):
            return None
        return token

    def tokens_of(self, location_id=None, value=None):
        return [
            token
            for token in self.tokens.values()
            if (value and token.value == value) or (location_id and token.location_id == location_id)
        ]

    def expire(self, token):
        self.changes += 1
        token.expires_at = 0

    def revoke(self, token):
        """The access token and everything that could renew it."""
        self.changes += 1
        self.tokens.pop(token.value, None)
        for grant in self.refresh_tokens.values():
            if (grant.kind, grant.location_id, grant.client_id) == (token.kind, token.location_id, token.app):
                grant.revoked = True

    def kept(self):
        """All of it as plain data, a copy."""
        return {
            **{name: copy(getattr(self, name)) for name in PLAIN},
            "suspended": sorted(self.suspended),
            "tokens": [_plain_token(token) for token in self.tokens.values()],
            "codes": _plain_grants(self.codes),
            "refresh_tokens": _plain_grants(self.refresh_tokens),
        }

    def restore(self, kept):
        """Become what kept() gave; redirect URIs of this start are good as well."""
        for name in PLAIN:
            setattr(self, name, kept[name])
        self.suspended = set(kept.get("suspended", ()))
        self.redirect_uris = list(dict.fromkeys([*kept["redirect_uris"], *self.config.redirect_uris]))
        self.tokens = {row["value"]: _token(row) for row in kept["tokens"]}
        # A code that has grown old is refused like one that never was.
        now = time.time()
        self.codes = {code: one for code, one in self._grants(kept["codes"]).items() if one.expires_at > now}
        self.refresh_tokens = self._grants(kept["refresh_tokens"])

    def _grants(self, rows):
        grants = {}
        for value, row in rows.items():
            # The pair a twin is answered with is the one its token belongs to, as long as that is known.
            answered = {name: self.tokens.get(one["value"]) or _token(one) for name, one in row["answered"].items()}
            grants[value] = Grant(**row | {"scopes": tuple(row["scopes"]), "answered": answered})
        return grants


def _plain_token(token):
    return vars(token) | {"scopes": sorted(token.scopes)}


def _token(row):
    return Token(**row | {"scopes": frozenset(row["scopes"])})


def _plain_grants(grants):
    return {
        value: vars(grant)
        | {
            "scopes": list(grant.scopes),
            "answered": {name: _plain_token(one) for name, one in grant.answered.items()},
        }
        for value, grant in grants.items()
    }


def _jwt(claims):
    parts = (json.dumps({"alg": "RS256", "typ": "JWT"}), json.dumps(claims), secrets.token_hex(32))
    return ".".join(base64.urlsafe_b64encode(part.encode()).decode().rstrip("=") for part in parts)
