"""Phone numbers as GHL keeps them: E.164, read with the country of the contact or its location."""

import re

CALLING_CODES = {
    "US": "1", "CA": "1", "GB": "44", "IE": "353", "DE": "49", "FR": "33", "ES": "34", "IT": "39", "NL": "31",
    "AT": "43", "CH": "41", "PL": "48", "PT": "351", "SE": "46", "MX": "52", "BR": "55", "AU": "61", "NZ": "64",
    "IN": "91", "JP": "81", "IL": "972", "AE": "971", "SA": "966", "EG": "20", "ZA": "27", "NG": "234",
}  # fmt: skip


def normalised(raw, country="US"):
    """+13125550148 for (312) 555-0148; what cannot be a number stays as it was typed."""
    if not raw:
        return None
    text = re.split(r"(?i)\s*(?:ext\.?|x|#)\s*\d+\s*$", raw.strip())[0]
    digits = re.sub(r"\D", "", text)
    if not 7 <= len(digits) <= 15:
        return raw.strip()
    if text.startswith("+"):
        return "+" + digits
    if digits.startswith("00"):
        return "+" + digits[2:]
    code = CALLING_CODES.get(country or "US", "1")
    if code == "1":
        return f"+1{digits}" if len(digits) == 10 else f"+{digits}" if len(digits) == 11 else raw.strip()
    return f"+{code}{digits.lstrip('0')}"
