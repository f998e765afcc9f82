"""Time that passes when the story says so."""

from datetime import timedelta
from unittest import mock

from django.apps import apps
from django.utils import timezone

from integrations.ghl.transport import Transport


class Clock:
    """Our clock goes ahead of the real one by `ahead`; nobody sleeps."""

    def __init__(self):
        self.ahead = timedelta()
        self.real = timezone.now

    def now(self):
        return self.real() + self.ahead

    def __enter__(self):
        self.patches = [
            mock.patch.object(timezone, "now", self.now),
            mock.patch.dict(Transport.__init__.__kwdefaults__, {"sleep": lambda _: None, "draw": lambda: 0.5}),
        ]
        self.stamps = [
            field for model in apps.get_models() for field in model._meta.local_fields if field.default is self.real
        ]
        for patch in self.patches:
            patch.start()
        self._stamp_with(self.now)
        return self

    def __exit__(self, *_):
        self._stamp_with(self.real)
        for patch in self.patches:
            patch.stop()

    def _stamp_with(self, now):
        """Models have taken hold of the real clock when they were made."""
        for field in self.stamps:
            field.default = now
            field.__dict__.pop("_get_default", None)

    def pass_(self, seconds):
        self.ahead += timedelta(seconds=seconds)
