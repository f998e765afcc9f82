#!/usr/bin/env python
"""Django's command line, which brings Postgres and Valkey along where the environment names none."""

import os
import sys
from pathlib import Path

from rankr_dash import embedded

ROOT = Path(__file__).resolve().parent
NEED_NOTHING = {
    "bench",
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "sandbox",
    "startapp",
    "version",
}


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "rankr_dash.settings")
    if needs_services(sys.argv[1:]):
        try:
            urls = embedded.ensure(ROOT)
        except embedded.ServicesError as error:
            sys.exit(str(error))
        os.environ.setdefault("DATABASE_URL", urls.database)
        os.environ.setdefault("REDIS_URL", urls.redis)

    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def needs_services(arguments):
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        return False
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in NEED_NOTHING or "--database" in arguments


if __name__ == "__main__":
    main()
