"""Countries and time zones by the names people know them by."""

import zoneinfo
from functools import lru_cache

from babel import Locale

from contacts import localised
from contacts.details import phones

# Codes of the locale data that are no country one can live in.
NO_COUNTRY = {"EU", "EZ", "UN", "XA", "XB", "ZZ", "QO"}
CONTINENTS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@lru_cache(maxsize=8)
def countries(language="en"):
    """{code: name}, by name."""
    names = Locale.parse(language).territories
    known = {code: name for code, name in names.items() if len(code) == 2 and code not in NO_COUNTRY}
    return dict(sorted(known.items(), key=lambda row: row[1].casefold()))


def country_name(code):
    """What a country is called; what is no code stays as it is."""
    return countries(localised.current().language).get(code.strip().upper(), code)


def country_code(text):
    """The code of what was typed, a name or a code in any case; "" when no country is called that."""
    wanted = text.strip().casefold()
    known = countries(localised.current().language)
    if wanted.upper() in known:
        return wanted.upper()
    return next((code for code, name in known.items() if name.casefold() == wanted), "")


@lru_cache(maxsize=1)
def zones():
    """The time zones worth choosing from: those of countries, without the many older names of the same."""
    usual = {name for name in zoneinfo.available_timezones() if name.split("/")[0] in CONTINENTS and "/" in name}
    return [*sorted(usual & set(phones.countries_of_zones()) or usual), "UTC"]


def zone_name(text):
    """The zone that was typed: its name in any case, or its city where only one zone has that; "" when none fits."""
    wanted = text.strip().casefold().replace(" ", "_")
    return _by_name().get(wanted) or _by_city().get(wanted, "")


def city_of(zone):
    """Chicago for America/Chicago, if that says enough to find the zone again."""
    city = zone.rpartition("/")[2].replace("_", " ")
    return city if zone_name(city) == zone else zone


@lru_cache(maxsize=1)
def _by_name():
    return {name.casefold(): name for name in zoneinfo.available_timezones()}


@lru_cache(maxsize=1)
def _by_city():
    cities = {}
    for zone in zones():
        city = zone.rpartition("/")[2].casefold()
        cities[city] = "" if city in cities else zone
    return cities
