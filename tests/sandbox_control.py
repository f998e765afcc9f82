"""The sandbox GHL as tests see it, and what an admin does on its consent page."""

from urllib.parse import parse_qsl, urlsplit

import requests

from integrations.sandbox.process import ROOT
from integrations.sandbox.process import SandboxProcess as Sandbox

__all__ = ["ROOT", "Sandbox", "consent"]


def consent(user, business, sandbox, location_id=None, without=()):
    """What an admin does in the browser: start, agree on GHL's page (perhaps to less), come back."""
    from integrations.access import connect

    page = urlsplit(connect.begin(user, business, "session"))
    asked = dict(parse_qsl(page.query))
    granted = [scope for scope in asked["scope"].split() if scope not in without]
    form = {**asked, "granted_scope": granted, "location_id": location_id or sandbox.credentials["location_id"]}
    answer = requests.post(f"{sandbox.url}{page.path}", data=form, timeout=30, allow_redirects=False)
    back = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
    return connect.finish(user, "session", back["state"], back["code"])
