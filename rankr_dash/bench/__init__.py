"""Figures about this machine and this code, each from one command: `manage.py bench …`.

Every bench runs in a Postgres and a Valkey of its own, against a sandbox GHL of its own, and is judged by the sandbox's
log. The figures in docs/benchmarks.md come from here.
"""
