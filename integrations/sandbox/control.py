"""The control plane: what a test or a demonstration may look at and change behind the API's back."""

import asyncio

from starlette.responses import JSONResponse
from starlette.routing import Route

from .answers import Refused
from .backstage import EDITS, records
from .sandbox import CHANGEABLE
from .scopes import LOCATION_SCOPES

PREFIX = "/__sandbox__"


class Wrong(Exception):
    """Answered as 400 with the sentence."""


def control_routes(sandbox):
    control = Control(sandbox)
    paths = {
        "credentials": {"GET": control.credentials},
        "log": {"GET": control.log, "DELETE": control.forget_log},
        "state": {"GET": control.state},
        "reset": {"POST": control.reset},
        "edit": {"POST": control.edit},
        "faults": {"GET": control.faults, "POST": control.add_faults, "DELETE": control.clear_faults},
        "tokens": {"GET": control.tokens, "POST": control.change_tokens},
        "webhooks": {"GET": control.webhooks, "POST": control.send_webhook},
        "settings": {"GET": control.settings, "POST": control.change_settings},
    }
    return [
        Route(f"{PREFIX}/{name}{slash}", _answering(act), methods=[method])
        for name, methods in paths.items()
        for method, act in methods.items()
        for slash in ("", "/")
    ]


def _answering(act):
    async def endpoint(request):
        body = {}
        if request.method == "POST":
            raw = await request.body()
            try:
                body = await request.json() if raw else {}
            except ValueError:
                return JSONResponse({"error": "The body is not JSON."}, 400)
        try:
            answer = act(request.query_params, body)
            return JSONResponse(await answer if asyncio.iscoroutine(answer) else answer)
        except Refused as refusal:
            return JSONResponse({"error": "GHL would refuse this.", "answer": refusal.answer.body}, 400)
        except (Wrong, ValueError, KeyError, TypeError) as reason:
            return JSONResponse({"error": f"{type(reason).__name__}: {reason}"}, 400)

    return endpoint


class Control:
    def __init__(self, sandbox):
        self.sandbox = sandbox

    def credentials(self, query, body):
        sandbox, keys = self.sandbox, self.sandbox.credentials
        location = self._location(query.get("location_id"))
        redirect_uri = query.get("redirect_uri")
        company_grant = keys.grant_for(None, kind="company", redirect_uri=redirect_uri)
        token = keys.location_token
        if location is not sandbox.company.first or keys.living_token(token, sandbox.clock()) is None:
            token = keys.new_pair(keys.grant_for(location.id)).value
        return {
            "client_id": keys.client_id,
            "client_secret": keys.client_secrets[0],
            "other_client_secret": keys.client_secrets[1],
            "app_id": keys.app_id,
            "company_id": sandbox.company.id,
            "location_id": location.id,
            "location_ids": list(sandbox.company.locations),
            "calendar_id": next(iter(location.calendars.rows), None),
            "contact_id": next(iter(location.contacts.rows), None),
            "user_id": next(iter(location.users.rows), None),
            "private_integration_token": keys.private_token_for(location.id),
            "location_access_token": token,
            "code": keys.new_code(keys.grant_for(location.id, redirect_uri=redirect_uri)),
            "company_code": keys.new_code(company_grant),
            "scopes": list(LOCATION_SCOPES),
        }

    def log(self, query, body):
        log = self.sandbox.log
        entries = log.since(int(query.get("since", 0)), query.get("path"), query.get("method"))
        return {"entries": entries, "last": log.last}

    def forget_log(self, query, body):
        self.sandbox.log.entries.clear()
        return {"last": self.sandbox.log.last}

    def state(self, query, body):
        if "kind" in query:
            location = self._location(query["location_id"]) if "location_id" in query else None
            return records(self.sandbox.company, location, query)
        return {
            "company_id": self.sandbox.company.id,
            "locations": {
                one.id: {"name": one.record["name"], "timezone": one.timezone, **counts(one)}
                for one in self.sandbox.company.locations.values()
            },
            **counts(self.sandbox.company.first),
            "requests": self.sandbox.log.last,
        }

    def reset(self, query, body):
        """A new account from the same or another seed. Settings given here win over those it was started with."""
        words = {word: name for name, word in CHANGEABLE.items()}
        values = {words.get(word, word): value for word, value in body.items()}
        strange = set(values) - set(self.sandbox.config.__dataclass_fields__)
        if strange:
            raise Wrong(f"unknown settings: {', '.join(sorted(strange))}")
        self.sandbox.start(self.sandbox.started_with.changed(**values))
        return self.state({}, {})

    def edit(self, query, body):
        edit = EDITS.get(body.get("kind", "").rstrip("s"))
        if edit is None:
            raise Wrong(f"kind must be one of {', '.join(EDITS)}")
        return {"record": edit(self.sandbox.company, body)}

    def faults(self, query, body):
        return {"faults": [rule.shape() for rule in self.sandbox.faults.rules]}

    def add_faults(self, query, body):
        """One rule, a list of rules, or {"faults": [...]}."""
        rules = body if isinstance(body, list) else body.get("faults", [body])
        added = [self.sandbox.faults.add(rule.get("match", {}), rule["action"]) for rule in rules]
        return {"faults": [rule.shape() for rule in added]}

    def clear_faults(self, query, body):
        self.sandbox.faults.clear(int(query["id"]) if "id" in query else None)
        return self.faults({}, {})

    def tokens(self, query, body):
        return {"tokens": [token_shape(token) for token in self.sandbox.credentials.tokens.values()]}

    def change_tokens(self, query, body):
        keys = self.sandbox.credentials
        if "access_token_lifetime" in body:
            self.sandbox.config.access_token_lifetime_s = body["access_token_lifetime"]
        action = body.get("action", "")
        location_id = body.get("location_id") or self.sandbox.company.first.id
        if action == "create_pit":
            made = keys.new_private_token(location_id, body.get("scopes", LOCATION_SCOPES))
        elif action == "create_location":
            made = keys.new_pair(keys.grant_for(location_id, body.get("scopes")))
        elif action == "create_company":
            made = keys.new_pair(keys.grant_for(None, body.get("scopes"), kind="company"))
        elif action in ("expire", "revoke"):
            struck = keys.tokens_of(body.get("location_id"), body.get("token"))
            if body.get("kind"):
                struck = [token for token in struck if token.kind == body["kind"]]
            for token in struck:
                (keys.expire if action == "expire" else keys.revoke)(token)
            return {action + "d": len(struck)}
        elif action:
            raise Wrong("action must be create_pit, create_location, create_company, expire or revoke")
        else:
            return {"access_token_lifetime": self.sandbox.config.access_token_lifetime_s}
        return {"token": made.value, **token_shape(made)}

    def webhooks(self, query, body):
        webhooks = self.sandbox.webhooks
        return {
            "url": self.sandbox.config.webhook_url,
            "public_key": webhooks.public_key,
            "deliveries": list(webhooks.deliveries),
        }

    async def send_webhook(self, query, body):
        """Send any payload, signed, as if something had happened: {"payload": {"type": "UNINSTALL", …}}."""
        payload = self.sandbox.webhooks.emit(body["payload"])
        return {"payload": payload}

    def settings(self, query, body):
        return self.sandbox.settings()

    def change_settings(self, query, body):
        words = {word: name for name, word in CHANGEABLE.items()}
        for word, value in body.items():
            if word in words or word in CHANGEABLE:
                setattr(self.sandbox.config, words.get(word, word), value)
            elif word == "redirect_uris":
                self.sandbox.credentials.redirect_uris = list(value)
            elif word == "allow_duplicate_contact":
                location = self._location(body.get("location_id"))
                location.settings["allowDuplicateContact"] = bool(value)
            elif word == "timezone":
                self._location(body.get("location_id")).record["timezone"] = value
            elif word != "location_id":
                raise Wrong(f"unknown setting {word}; known: {', '.join(sorted(words))}")
        return self.sandbox.settings()

    def _location(self, location_id):
        if not location_id:
            return self.sandbox.company.first
        if location_id not in self.sandbox.company.locations:
            raise Wrong(f"no location {location_id}")
        return self.sandbox.company.locations[location_id]


def counts(location):
    living = sum(not one.get("deleted") for one in location.appointments)
    return {name: len(table) for name, table in location.tables().items()} | {"appointments": living}


def token_shape(token):
    return {
        "kind": token.kind,
        "app": token.app,
        "location_id": token.location_id,
        "company_id": token.company_id,
        "scopes": sorted(token.scopes),
        "expires_at": token.expires_at,
        "access_token": token.value,
        "refresh_token": token.refresh_token,
    }
