"""Which Version header each operation sends. One table, so that an endpoint can move to v3 by itself."""

DEFAULT = "2021-07-28"
BY_PREFIX = {
    "/calendars": "2021-04-15",
    "/conversations": "2021-04-15",
}


def version_for(path: str) -> str:
    for prefix, version in BY_PREFIX.items():
        if path == prefix or path.startswith(prefix + "/"):
            return version
    return DEFAULT
