"""python -m tests.faults [--only 18,19] [--full | --quick] [--seed N] [--json faults.json]"""

import argparse
import json
import os
import sys
import time
import traceback
from pathlib import Path

from tests.faults.services import Services

ROOT = Path(__file__).resolve().parents[2]
THEMES = (
    "access", "tokens", "writes", "conflicts", "processes", "queues", "webhooks", "intake", "rates", "storms",
    "convergence", "programs",
)  # fmt: skip


def main():
    options = read_options()
    extent = "quick" if options.quick else "full" if options.full else "usual"
    with Services() as services:
        cases = prepare(services)
        wanted = [number.strip() for number in options.only.split(",") if number.strip()] or list(cases)
        strange = [number for number in wanted if number not in cases]
        if strange:
            sys.exit(f"There is no case {', '.join(strange)}; there are {', '.join(cases)}.")
        print(f"seed {options.seed}, {extent}", flush=True)
        rows = [run(services, cases[number], options.seed, extent, options.keep) for number in wanted]
        Path(options.json).write_text(json.dumps({"seed": options.seed, "extent": extent, "cases": rows}, indent=1))
    failed = [row["case"] for row in rows if row["verdict"] == "FAILED"]
    print(f"{len(rows)} cases, {len(failed)} failed" + (f": {', '.join(failed)}" if failed else ""), flush=True)
    return 1 if failed else 0


def read_options():
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--only", default="", help="numbers of cases, separated by commas")
    parser.add_argument("--full", action="store_true", help="at GHL's real limit of 100 requests in 10 s")
    parser.add_argument("--quick", action="store_true", help="a few of everything, as make test does")
    parser.add_argument("--seed", type=int, default=1, help="the same seed, the same accidents")
    parser.add_argument("--json", default=str(ROOT / "faults.json"), metavar="FILE")
    parser.add_argument("--keep", action="store_true", help="keep the processes' logs")
    return parser.parse_args()


def prepare(services):
    """Django on the rig's own servers, whatever the environment names; then the cases, by number."""
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "rankr_dash.settings",
        "DATABASE_URL": services.postgres.url,
        "REDIS_URL": services.valkey.url,
        "LOG_LEVEL": "WARNING",
    }
    import logging
    from importlib import import_module

    import django

    django.setup()
    # What this process does besides is not the product's: its processes write a log of their own.
    logging.getLogger().handlers[:] = [logging.NullHandler()]
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    for theme in THEMES:
        import_module(f"tests.faults.{theme}")
    from tests.faults.verdict import CASES

    return CASES


def run(services, case, seed, extent, keep):
    from tests.faults.rig import Rig, case_folder
    from tests.faults.verdict import NotRun, Verdict

    begun = time.monotonic()
    with case_folder(keep) as folder:
        try:
            with Rig(services, case.number, seed, extent, folder) as rig:
                verdict = case.act(rig)
            word = "ok" if verdict.ok else "FAILED"
        except NotRun as reason:
            verdict, word = Verdict(case.number, "", {}, True), f"not run: {reason}"
        except Exception as trouble:
            traceback.print_exc()
            verdict, word = Verdict(case.number, "it runs to its end", {"stopped by": repr(trouble)}, False), "FAILED"
            mend(services)
        if keep:
            print(f"logs of case {case.number}: {folder}")
    row = {
        "case": case.number,
        "what": case.what,
        "seed": seed,
        "repeats": verdict.repeats,
        "expected": verdict.expected,
        "figures": verdict.figures,
        "findings": verdict.findings,
        "seconds": round(time.monotonic() - begun),
        "verdict": word,
    }
    show(row)
    return row


def mend(services):
    """A case that broke off may have left a server stopped."""
    from tests.faults.services import start_again

    for server in (services.postgres, services.valkey):
        if not server.alive:
            start_again(server)


def show(row):
    figures = "; ".join(f"{name} {value}" for name, value in row["figures"].items())
    print(f"{row['case']} | {row['what']} | seed {row['seed']} | {row['repeats']} | {row['expected']} |")
    print(f"    {figures} | {row['verdict']} ({row['seconds']} s)", flush=True)
    for finding in row["findings"][:20]:
        print(f"    ! {finding}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
