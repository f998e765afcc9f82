"""python -m integrations.sandbox --port 9477 --contacts 2000"""

import argparse
import gc

import uvicorn

from .app import create_app
from .config import add_arguments, config_from


def run(options):
    config = config_from(options)
    app = create_app(config, options["state"])
    print(
        f"Sandbox GHL at http://{config.host}:{config.port}  (credentials: /__sandbox__/credentials)",
        flush=True,
    )
    # The seeded account lives as long as the process. Walking through it for garbage costs 80 ms a time.
    gc.collect()
    gc.freeze()
    try:
        uvicorn.run(app, host=config.host, port=config.port, log_level="warning", access_log=False, date_header=False)
    finally:
        # A second Ctrl-C passes over the end of the app, where it would have been saved.
        if app.sandbox.keeper:
            app.sandbox.keeper.save()


def main():
    parser = argparse.ArgumentParser(prog="python -m integrations.sandbox", description=__doc__)
    add_arguments(parser)
    run(vars(parser.parse_args()))


if __name__ == "__main__":
    main()
