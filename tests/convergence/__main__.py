"""python -m tests.convergence [--seeds 1000] [--from 1] [--length 30] [--replay SEED]"""

import argparse
import difflib
import os
import sys
import time

from rankr_dash import embedded


def main():
    options = read_options()
    with embedded.throwaway() as urls:
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "rankr_dash.settings", "DATABASE_URL": urls.database, "REDIS_URL": urls.redis,
            "LOG_LEVEL": "CRITICAL",
        }  # fmt: skip
        import django

        django.setup()
        from django.core.management import call_command

        from tests.convergence.story import stage
        from tests.sandbox_control import Sandbox

        call_command("migrate", verbosity=0)
        sandbox = Sandbox("--contacts", "5", "--rate", "0", "--lag-s", "0")
        try:
            with stage(sandbox) as clock:
                return replay(sandbox, clock, options) if options.replay else many(sandbox, clock, options)
        finally:
            sandbox.stop()


def read_options():
    parser = argparse.ArgumentParser(prog="python -m tests.convergence", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="how many stories")
    parser.add_argument("--from", type=int, default=1, dest="first", help="the first seed")
    parser.add_argument("--length", type=int, default=30, help="acts in the longest story")
    parser.add_argument("--replay", type=int, help="tell this seed twice and compare")
    return parser.parse_args()


def many(sandbox, clock, options):
    from tests.convergence.story import tell

    begun, failed = time.monotonic(), []
    for seed in range(options.first, options.first + options.seeds):
        story = tell(sandbox, clock, seed, options.length)
        if story.wrong:
            failed.append(seed)
            print(f"seed {seed} FAILED after {len(story.trace)} acts:", *story.wrong, sep="\n    ", flush=True)
    took = time.monotonic() - begun
    print(f"{options.seeds} seeds, {len(failed)} failed {failed or ''} in {took:.0f} s")
    return 1 if failed else 0


def replay(sandbox, clock, options):
    from tests.convergence.story import tell

    first, second = (tell(sandbox, clock, options.replay, options.length) for _ in range(2))
    print(*first.trace, "", *first.digest, "", *first.wrong, sep="\n")
    print(*difflib.unified_diff(first.digest, second.digest, "first", "second", lineterm="", n=0), sep="\n")
    is_same = (first.trace, first.digest, first.wrong) == (second.trace, second.digest, second.wrong)
    print("the same in both tellings" if is_same else "NOT the same in both tellings")
    return 1 if first.wrong or not is_same else 0


if __name__ == "__main__":
    sys.exit(main())
