"""python -m integrations.pretend_erp --port 8900"""

import argparse

import uvicorn

from .app import create_app


def main():
    parser = argparse.ArgumentParser(prog="python -m integrations.pretend_erp", description=__doc__)
    parser.add_argument("--port", type=int, default=8900)
    options = parser.parse_args()
    uvicorn.run(create_app(), host="127.0.0.1", port=options.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
