"""The consent page: choose a location, untick what the app need not have, allow or cancel."""

import html
from urllib.parse import urlencode, urlsplit

from starlette.responses import HTMLResponse, RedirectResponse
from starlette.routing import Route

from .scopes import MEANINGS

PATHS = ("/v2/oauth/chooselocation", "/oauth/chooselocation")
STYLE = """
:root { color-scheme: light; font: 16px/1.5 system-ui, sans-serif; color: #1f2937; background: #eef1f5 }
body { margin: 0; padding: 2rem 1rem }
main { max-width: 40rem; margin: auto; background: #fff; border-radius: 12px; padding: 1.5rem 2rem 2rem;
  box-shadow: 0 1px 3px #0002 }
.banner { max-width: 40rem; margin: 0 auto 1rem; color: #7c2d12; background: #ffedd5; border-radius: 8px;
  padding: .5rem 1rem; font-size: .9rem }
h1 { font-size: 1.35rem } h2 { font-size: 1rem; margin: 1.5rem 0 .5rem }
ul { list-style: none; margin: 0; padding: 0 } details { margin-top: 1rem } summary { cursor: pointer }
.place { display: flex; gap: 1rem; align-items: center; justify-content: space-between; padding: .75rem 0;
  border-top: 1px solid #e5e7eb } .place small, .scope code { color: #6b7280; font-size: .85rem }
button { font: inherit; padding: .5rem 1.1rem; border-radius: 8px; border: 1px solid #1d4ed8; cursor: pointer;
  background: #1d4ed8; color: #fff } button.quiet { background: #fff; color: #374151; border-color: #9ca3af }
button:focus-visible, input:focus-visible, summary:focus-visible { outline: 3px solid #93c5fd; outline-offset: 2px }
.scope { display: flex; gap: .5rem; align-items: baseline } .actions { margin-top: 1.5rem }
"""


def consent_routes(sandbox):
    async def page(request):
        asked = Asked(sandbox, request.query_params)
        if asked.problem:
            return refusal(asked.problem)
        return HTMLResponse(form_page(sandbox, asked))

    async def decide(request):
        form = await request.form()
        asked = Asked(sandbox, {**request.query_params, **dict(form)})
        if asked.problem:
            return refusal(asked.problem)
        if form.get("decision") == "cancel":
            return asked.back(error="access_denied", error_description="The user denied the request")
        granted = [scope for scope in form.getlist("granted_scope") if scope in asked.scopes]
        if not form.getlist("granted_scope") and "choosing_scopes" not in form:
            granted = asked.scopes
        grant = asked.grant(form.get("location_id"), granted)
        if grant is None:
            return refusal("Choose one of the locations shown.")
        code = sandbox.credentials.new_code(grant)
        if sandbox.config.install_webhook == "before":
            # The app is installed by now, and its webhook overtakes the browser on its way back.
            for location_id in sandbox.credentials.places_of(grant):
                sandbox.credentials.install(location_id, sandbox.clock())
            sandbox.announce_install(grant)
        return asked.back(code=code)

    return [Route(path, view, methods=[method]) for path in PATHS for method, view in (("GET", page), ("POST", decide))]


class Asked:
    """What the app asks for, and the first thing that is wrong with it."""

    def __init__(self, sandbox, values):
        self.sandbox = sandbox
        self.client_id = values.get("client_id", "")
        self.redirect_uri = values.get("redirect_uri", "")
        self.state = values.get("state", "")
        self.user_type = values.get("user_type", "Location")
        self.response_type = values.get("response_type", "")
        self.scopes = values.get("scope", "").split()
        self.problem = self._problem()

    def _problem(self):
        credentials = self.sandbox.credentials
        unknown = [scope for scope in self.scopes if scope not in MEANINGS]
        if self.client_id != credentials.client_id:
            return "No app with this client_id exists here."
        if not credentials.accepts_redirect(self.redirect_uri):
            return "This redirect_uri is not registered for the app. Add it to the app's settings and try again."
        if self.response_type != "code":
            return "response_type must be code."
        if not self.scopes:
            return "The app asks for no scope."
        return f"The app asks for scopes that do not exist: {' '.join(unknown)}." if unknown else None

    def grant(self, location_id, granted):
        credentials = self.sandbox.credentials
        if location_id == self.sandbox.company.id:
            return credentials.grant_for(None, granted, "company", self.redirect_uri)
        if location_id not in self.sandbox.company.locations:
            return None
        if self.sandbox.config.bulk_install:
            grant = credentials.grant_for(None, granted, "company", self.redirect_uri)
            grant.chosen = location_id
            return grant
        return credentials.grant_for(location_id, granted, redirect_uri=self.redirect_uri)

    def back(self, **values):
        if self.state:
            values["state"] = self.state
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return RedirectResponse(self.redirect_uri + joint + urlencode(values), 302)


def form_page(sandbox, asked):
    hidden = {
        "client_id": asked.client_id,
        "redirect_uri": asked.redirect_uri,
        "response_type": asked.response_type,
        "scope": " ".join(asked.scopes),
        "state": asked.state,
        "choosing_scopes": "1",
    }
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in hidden.items()
    )
    places = "".join(
        place(one.id, one.record["name"], one.record["address"]) for one in sandbox.company.locations.values()
    )
    if any(scope.startswith("oauth.") for scope in asked.scopes):
        places += place(sandbox.company.id, sandbox.company.name, "The whole company")
    scopes = "".join(
        f'<li><label class="scope"><input type="checkbox" name="granted_scope" value="{scope}" checked> '
        f"<span>{MEANINGS[scope]} <code>{scope}</code></span></label></li>"
        for scope in asked.scopes
    )
    return whole_page(
        "Choose a location",
        f"""<h1>Choose a location to connect</h1>
<p>An app wants to work with one of your sub-accounts.</p>
<form method="post">{inputs}
<h2>Locations</h2><ul>{places}</ul>
<details open><summary>What the app may do</summary><ul>{scopes}</ul></details>
<p class="actions"><button class="quiet" name="decision" value="cancel">Cancel</button></p>
</form>""",
    )


def place(place_id, name, address):
    name, address = html.escape(name), html.escape(address)
    return (
        f'<li class="place" data-location="{place_id}"><span><strong>{name}</strong><br><small>{address}</small></span>'
        f'<span><button name="location_id" value="{place_id}" aria-label="Allow {name}">Allow</button> '
        f'<button class="quiet" name="decision" value="cancel" aria-label="Cancel {name}">Cancel</button></span></li>'
    )


def refusal(sentence):
    body = f"<h1>This can not go on</h1><p>{html.escape(sentence)}</p>"
    return HTMLResponse(whole_page("This can not go on", body), 400)


def whole_page(title, body):
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title} – Sandbox GHL</title><style>{STYLE}</style></head>
<body><p class="banner" role="note"><strong>Sandbox GHL.</strong> A fake for development; no real account
is involved.</p>
<main>{body}</main></body></html>"""
