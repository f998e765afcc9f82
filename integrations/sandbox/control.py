"""The control plane: what a test or a demonstration may look at and change behind the API's back.

All under /__sandbox__/. A wrong word is answered 400 with a sentence. Requests made here are not in the log.

GET  credentials  ?location_id &redirect_uri   keys, tokens and a fresh code
POST reset        settings to start again with (also seed, contacts, strict, log_keep, redirect_uris)
GET, POST settings:
  rate, window_s, daily, retry_after           the limit; rate 0 lifts it
  lag                                          of the search index: seconds or [low, high] for each change
  clock_skew_s                                 its dates, its Date header and its webhooks are off by so much
  latency_ms (or "realistic"), create_status, grace, code_lifetime, access_token_lifetime
  allow_duplicate_contact, timezone            of `location_id`, or the first
  bulk_install                                 consent to one location yields a company token that lists none
  install_webhook                              INSTALL goes "before" or "after" the code is exchanged, or "off"
  webhook_url, webhook_policy                  retry_on_429 (7 tries, anything else is final) or retry_on_any (13)
  webhook_retry_s, webhook_jitter, webhook_backoff, webhook_tries, webhook_timeout_s, webhook_concurrency
  webhook_tricks                               {"drop": .1, "duplicate": .2, "reorder": 20, "thin_tasks": 1,
                                               "delay_s": [0, 2]}: chances, a number of events, seconds; seeded
  undocumented_webhooks                        UserUpdate and UserDelete as well
GET  state        counts, or ?kind= &id &contact_id &location_id
POST edit         {kind, action, id, values, location_id, silent}, or {"edits": [...], "each": {...}}
  kinds: contact (also merge, "into" a winner), note, task, appointment, user, tag, custom_field, location
  values may hold dateAdded and dateUpdated, the latter also null; silent tells nobody
POST tokens       {action, location_id}: create_pit, create_location, create_company, expire, revoke, install,
                  uninstall (all the app's tokens there die; with the company's id: everywhere), suspend, resume
GET, POST, DELETE faults   {"match": {...}, "action": {...}}, see faults.py
  match: method, path, body_contains, location, nth, times, chance, seed
POST emit         {"payload": {...}} or {"payloads": [...]}; tricks, key: "other", unsigned (true or "N/A"), rsa_only
GET  webhooks     ?wait &limit &type &id &location &webhook_id &fate   pending, fates, answers, deliveries with tries
GET  log          ?since &path &method &location &operation &app &status &answer &key &writes &kind &act &record
                  &limit &fields   each entry says what it `wrote` and whether its `answer` was delivered
GET  ledger       the same filters   each record, with the requests that made, changed and deleted it
GET  rate         the same filters, window_s   for each app and location the most requests in any sliding window
DELETE log, webhooks   forget what is over
"""

import asyncio

from starlette.responses import JSONResponse
from starlette.routing import Route

from .answers import Refused
from .backstage import edited, records, shown
from .judge import Judge
from .sandbox import CHANGEABLE
from .scopes import LOCATION_SCOPES
from .tricks import checked

PREFIX = "/__sandbox__"


TOKEN_ACTIONS = "create_pit, create_location, create_company, expire, revoke, install, uninstall, suspend, resume"
CHOICES = {
    "webhook_policy": ("retry_on_429", "retry_on_any"),
    "install_webhook": ("before", "after", "off"),
}
# How an emitted webhook is sealed, by the word that asks for it.
SEALS = {"unsigned": "unsigned", "rsa_only": "rsa"}


class Wrong(Exception):
    """Answered as 400 with the sentence."""


def control_routes(sandbox):
    control, judge = Control(sandbox), Judge(sandbox)
    paths = {
        "credentials": {"GET": control.credentials},
        "log": {"GET": judge.log, "DELETE": judge.forget_log},
        "ledger": {"GET": judge.ledger},
        "rate": {"GET": judge.rate},
        "state": {"GET": control.state},
        "reset": {"POST": control.reset},
        "edit": {"POST": control.edit},
        "faults": {"GET": control.faults, "POST": control.add_faults, "DELETE": control.clear_faults},
        "tokens": {"GET": control.tokens, "POST": control.change_tokens},
        "webhooks": {"GET": judge.webhooks, "DELETE": judge.forget_webhooks},
        "emit": {"POST": control.emit},
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
        """One edit, answered with its record; or {"edits": [...]}, answered with ids, what fails said in its place."""
        if "edits" not in body:
            location, record = edited(self.sandbox, body)
            gone = {"id": body.get("id"), "deleted": True}
            return {"record": gone if record is None else shown(body["kind"], location, record)}
        results = [self._edited_or_error({**body.get("each", {}), **edit}) for edit in body["edits"]]
        return {"results": results, "failed": sum("error" in one for one in results)}

    def _edited_or_error(self, body):
        try:
            location, record = edited(self.sandbox, body)
        except Refused as refusal:
            return {"error": refusal.answer.body["message"], "answer": refusal.answer.body}
        except (ValueError, KeyError, TypeError) as reason:
            return {"error": f"{type(reason).__name__}: {reason}"}
        return {"id": body["id"] if record is None else record["id"], "location_id": location.id}

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
            for place in body.get("installed", self.sandbox.company.locations):
                keys.install(place, self.sandbox.clock())
        elif action in ("install", "uninstall", "suspend", "resume"):
            return self._visit(action, location_id)
        elif action in ("expire", "revoke"):
            struck = keys.tokens_of(body.get("location_id"), body.get("token"))
            if body.get("kind"):
                struck = [token for token in struck if token.kind == body["kind"]]
            for token in struck:
                (keys.expire if action == "expire" else keys.revoke)(token)
            return {action + "d": len(struck)}
        elif action:
            raise Wrong(f"action must be one of {TOKEN_ACTIONS}")
        else:
            return {"access_token_lifetime": self.sandbox.config.access_token_lifetime_s}
        return {"token": made.value, **token_shape(made)}

    def _visit(self, action, location_id):
        """What an agency does with the app, or GHL with the sub-account."""
        keys, webhooks = self.sandbox.credentials, self.sandbox.webhooks
        if action == "uninstall" and location_id == self.sandbox.company.id:
            keys.uninstall_everywhere()
            webhooks.tell({"type": "UNINSTALL", "companyId": location_id})
            return {"location_id": None, "installed": False, "suspended": False}
        self._location(location_id)
        if action == "install":
            keys.install(location_id, self.sandbox.clock())
            webhooks.installed(location_id, self.sandbox.company.id, keys.installer(location_id))
        elif action == "uninstall":
            keys.uninstall(location_id)
            webhooks.tell({"type": "UNINSTALL", "locationId": location_id, "companyId": self.sandbox.company.id})
        else:
            keys.changes += 1
            (keys.suspended.add if action == "suspend" else keys.suspended.discard)(location_id)
        return {
            "location_id": location_id,
            "installed": location_id in keys.installed,
            "suspended": location_id in keys.suspended,
        }

    async def emit(self, query, body):
        """Any payload, as if something had happened: {"payload": {"type": "UNINSTALL", …}} or {"payloads": […]}."""
        if not self.sandbox.config.webhook_url:
            raise Wrong("webhook_url is not set")
        payloads = body["payloads"] if "payloads" in body else [body["payload"]]
        seal = next((seal for word, seal in SEALS.items() if body.get(word)), body.get("key", "own"))
        if body.get("unsigned") == "N/A":
            seal = "na"
        if seal not in ("own", "other", "na", *SEALS.values()):
            raise Wrong("key must be own or other")
        sent = [self.sandbox.webhooks.emit(payload, body.get("tricks"), seal) for payload in payloads]
        answer = {"emitted": len(sent), "webhook_ids": [payload["webhookId"] for payload in sent]}
        return answer | ({"payload": sent[0]} if "payload" in body else {})

    def settings(self, query, body):
        return self.sandbox.settings()

    def change_settings(self, query, body):
        words = {word: name for name, word in CHANGEABLE.items()}
        for word, value in body.items():
            if value not in CHOICES.get(word, (value,)):
                raise Wrong(f"{word} must be one of {', '.join(CHOICES[word])}")
            if word == "webhook_tricks":
                self.sandbox.config.webhook_tricks = checked(value)
            elif word in words or word in CHANGEABLE:
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
