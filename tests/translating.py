"""A second language for the tests of translation."""

from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.utils import translation


def speak_german(words, folder, settings, monkeypatch):
    """As if somebody had translated these: {English, or (one, several): German alike}."""
    catalog = Catalog(locale="de")
    for english, german in words.items():
        catalog.add(english, german)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    place = folder / "de" / "LC_MESSAGES"
    place.mkdir(parents=True)
    (place / "django.mo").write_bytes(compiled.getvalue())
    settings.LOCALE_PATHS = [folder]
    settings.LANGUAGES = [("en", "English"), ("de", "Deutsch")]
    settings.USE_I18N = True
    monkeypatch.setattr(translation, "_trans", type(translation._trans)())  # it looks at the setting once
