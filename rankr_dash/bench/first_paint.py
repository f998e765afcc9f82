"""What a browser that has never been here loads before it can show the list: styles and scripts, compressed."""

import gzip
import re
from pathlib import Path

from rankr_dash.bench.asking import Handler

LINKED = re.compile(r'(?:<script[^>]* src|<link rel="stylesheet" href)="/static/([^"?]+)"')
IMPORTED = re.compile(r"""(?:@import\s+(?:url\()?|\bimport\s[^"']*?)["']([^"')]+\.(?:css|js))["']""")


def weigh(cookie):
    handler = Handler(cookie)
    page = handler.ask("/contacts/").body
    files = {}
    waiting = LINKED.findall(page.decode())
    while waiting:
        name = waiting.pop()
        answer = handler.ask(f"/static/{name}")
        if name in files or answer.status != 200:
            continue
        files[name] = answer.body
        folder = Path(name).parent
        waiting += [_joined(folder, other) for other in IMPORTED.findall(files[name].decode())]
    sizes = {name: len(gzip.compress(body, 6)) for name, body in files.items()}
    return {
        "HTML kB": round(len(gzip.compress(page, 6)) / 1024, 1),
        "CSS kB": round(sum(size for name, size in sizes.items() if name.endswith(".css")) / 1024, 1),
        "JS kB": round(sum(size for name, size in sizes.items() if name.endswith(".js")) / 1024, 1),
        "CSS and JS together kB": round(sum(sizes.values()) / 1024, 1),
        "files": len(sizes),
    }


def _joined(folder, name):
    parts = []
    for part in (folder / name).parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(part for part in parts if part != ".")
