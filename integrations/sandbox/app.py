"""The sandbox as an ASGI app: consent pages and control plane by Starlette, everything else by the gate."""

from starlette.applications import Starlette

from .consent import consent_routes
from .control import PREFIX, control_routes
from .gate import Gate
from .sandbox import Sandbox


class SandboxApp(Starlette):
    def __init__(self, sandbox):
        routes = [*consent_routes(sandbox), *control_routes(sandbox)]
        super().__init__(routes=routes, lifespan=sandbox.keeper.while_serving if sandbox.keeper else None)
        self.sandbox = sandbox
        self.gate = Gate(sandbox)

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http" and not scope["path"].startswith((PREFIX, *CONSENT_PATHS)):
            # Straight to the gate: a dropped connection needs the server's own `receive`.
            await self.gate(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


CONSENT_PATHS = ("/v2/oauth/chooselocation", "/oauth/chooselocation")


def create_app(config, state=None):
    """state: the file the account is kept in, if it is to outlive the process."""
    return SandboxApp(Sandbox(config, state))
