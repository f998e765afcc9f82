"""The stylesheet with all that it imports in one answer: a browser asks once, and together it compresses far better."""

import hashlib
import re
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import condition, require_safe

IMPORT = re.compile(r'@import url\("([^"]+)"\)(?: layer\((\w+)\)| (print))?;')
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def stylesheet():
    """(text, ETag), read once, unless it may be edited meanwhile."""
    return _read() if settings.DEBUG else _kept()


def _read():
    text = _with_imports(Path(finders.find("css/app.css")))
    return text, f'"{hashlib.sha256(text.encode()).hexdigest()[:16]}"'


_kept = lru_cache(maxsize=1)(_read)


def _with_imports(path):
    def put_in(found):
        name, layer, medium = found.groups()
        text = _with_imports(path.parent / name)
        if layer:
            return f"@layer {layer} {{\n{text}}}"
        return f"@media {medium} {{\n{text}}}" if medium else text

    lines = COMMENT.sub("", path.read_text()).splitlines()
    return IMPORT.sub(put_in, "".join(f"{line.strip()}\n" for line in lines if line.strip()))


@require_safe
@condition(etag_func=lambda request: stylesheet()[1])
def one_stylesheet(request):
    answer = HttpResponse(stylesheet()[0], content_type="text/css; charset=utf-8")
    answer["X-Content-Type-Options"] = "nosniff"
    patch_cache_control(answer, public=True, max_age=60)
    return answer
