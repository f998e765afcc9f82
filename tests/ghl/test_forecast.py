"""What a health page says about the day's requests."""

import pytest

from integrations.ghl.forecast import Forecast, forecast

HOUR = 3600


@pytest.mark.parametrize(
    "used, elapsed, recent, limit, resets_in, expected",
    [
        (12_000, 12 * HOUR, 1_000, 200_000, 12 * HOUR, Forecast(24_000, None)),
        (12_000, 12 * HOUR, None, 200_000, 12 * HOUR, Forecast(24_000, None)),
        (12_000, 12 * HOUR, 36_000, 200_000, 12 * HOUR, Forecast(59_000, None)),  # a sync counts for one hour
        (180_000, 6 * HOUR, 36_000, 200_000, 18 * HOUR, Forecast(726_000, 2_000)),
        (100_000, 10 * HOUR, 0, 200_000, 14 * HOUR, Forecast(230_000, 11 * HOUR)),
        (200_000, 10 * HOUR, 0, 200_000, 14 * HOUR, Forecast(460_000, 0.0)),
        (0, 0, None, 200_000, 24 * HOUR, Forecast(0, None)),
        (300, 60, None, 200_000, 24 * HOUR, Forecast(7_500, None)),  # a busy first minute is not a busy day
        (500, 24 * HOUR, 3_600, 200_000, 600, Forecast(1_100, None)),
        (500, 24 * HOUR, 3_600, 200_000, -5, Forecast(500, None)),
        (500, 24 * HOUR, -3, 200_000, 600, Forecast(500, None)),
    ],
)
def test_the_next_hour_goes_as_the_last_and_the_rest_as_the_day(used, elapsed, recent, limit, resets_in, expected):
    found = forecast(used, elapsed, recent, limit, resets_in)
    assert found.spent_by_reset == expected.spent_by_reset
    assert found.runs_out_in_s == pytest.approx(expected.runs_out_in_s)
