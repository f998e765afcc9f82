"""(Version, method, path) to the function that answers it."""

import re

VERSIONS = ("2021-04-15", "2021-07-28", "2023-02-21", "v3")
OLD = VERSIONS[:3]
V3 = VERSIONS[3:]


class Operation:
    def __init__(self, method, path, answer, scope, versions, access, group):
        self.method, self.path, self.answer = method, path, answer
        self.scope, self.versions, self.access, self.group = scope, versions, access, group
        self.name = f"{method} {re.sub(r'{[a-z_]+}', '{}', path)}"
        # Literal words win over placeholders: /contacts/search before /contacts/{contact_id}.
        self.rank = [part.startswith("{") for part in path.split("/")]
        pattern = re.sub(r"{([a-z_]+)}", r"(?P<\1>[^/]+)", path.rstrip("/"))
        self.pattern = re.compile(pattern + "/?")


class Router:
    def __init__(self):
        self.operations = []
        self.by_shape = {}

    def add(self, operation):
        self.operations.append(operation)
        shape = (operation.method, len(operation.path.rstrip("/").split("/")))
        self.by_shape.setdefault(shape, []).append(operation)
        self.by_shape[shape].sort(key=lambda known: known.rank)

    def find(self, method, path):
        """Every operation of that path, the most literal first, with the words it captured."""
        shape = (method, len(path.rstrip("/").split("/")))
        for operation in self.by_shape.get(shape, ()):
            match = operation.pattern.fullmatch(path)
            if match:
                yield operation, match.groupdict()


router = Router()


def operation(method, path, scope=None, versions=VERSIONS, access="location", group="api"):
    """Registers the function below as the answer to this path.

    access: "location" (location token or private token), "company" (company token only), "either",
    or "none" for the token endpoint.
    """

    def register(answer):
        router.add(Operation(method, path, answer, scope, versions, access, group))
        return answer

    return register
