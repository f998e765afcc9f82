"""Phone numbers as people type them and as they are compared."""

import zoneinfo
from functools import lru_cache
from pathlib import Path

import phonenumbers

DEFAULT_REGION = "US"


def parsed(text, region=DEFAULT_REGION):
    """The number, or None when it cannot be one."""
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None


def e164(text, region=DEFAULT_REGION):
    """+13125550148, or "" when it cannot be a number."""
    number = parsed(text, region)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) if number else ""


def tidy(text, region=DEFAULT_REGION):
    """As it is best kept: +13125550148; as typed when it has an extension, which that form cannot hold."""
    number = parsed(text, region)
    return text.strip() if number is None or number.extension else e164(text, region)


def digits_of(number):
    """The digits of an E.164 number in each way that it is commonly typed: with and without its country's code."""
    found = parsed(number)
    if found is None:
        return []
    own, whole = phonenumbers.national_significant_number(found), number.lstrip("+")
    return [whole, f"00{whole}", f"011{whole}", own, f"0{own}"]


def readable(text, region=DEFAULT_REGION):
    """As people of that country write it; with the country code when it belongs to another; untouched if odd."""
    number = parsed(text.strip(), region)
    if number is None:
        return text.strip()
    is_own = number.country_code == phonenumbers.country_code_for_region(region or "ZZ")
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(number, style.NATIONAL if is_own else style.INTERNATIONAL)


def region_of(location):
    """The country whose numbers are typed without a country code here: the one the location's clock belongs to."""
    return countries_of_zones().get(location.time_zone, DEFAULT_REGION)


@lru_cache(maxsize=1)
def countries_of_zones():
    """Zone → country, from the operating system's own table; without one everybody gets the default."""
    for folder in zoneinfo.TZPATH:
        table = Path(folder) / "zone.tab"
        if table.is_file():
            lines = [line.split("\t") for line in table.read_text().splitlines() if not line.startswith("#")]
            return {line[2]: line[0] for line in lines if len(line) > 2}
    return {}
