"""Numbers as readers expect them: kilometres, areas, times, shares, coordinates."""

from __future__ import annotations

import math

MODALITY_NAMES = {"sound": "Sound", "picture": "Picture", "both": "Sound and picture together", "container": "Container"}

PRIOR_NAMES = {
    "mixture": "even mixture of land area and observer density",
    "land": "uniform over land, by area",
    "observer": "where observers are (GeoCLIP's gallery of 100,000 places)",
    "population": "where people live",
}


def modality(name: str) -> str:
    """A modality's name as a heading."""
    return MODALITY_NAMES.get(name, name.capitalize())


def point(where_is: str) -> str:
    """What the place reported is called: of a location that is a region it is no more than its densest point."""
    return "densest point" if where_is == "region" else "place reported"


def clock(seconds: float) -> str:
    """A time in the clip as m:ss or h:mm:ss, with a tenth where it is not a whole second."""
    tenths = round(max(0.0, seconds) * 10)
    whole, tenth = divmod(tenths, 10)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    text = f"{hours}:{m:02d}:{s:02d}" if hours else f"{m}:{s:02d}"
    return f"{text}.{tenth}" if tenth else text


def span(start_s: float, end_s: float) -> str:
    """An interval; one time where it has no length."""
    return clock(start_s) if end_s <= start_s else f"{clock(start_s)}–{clock(end_s)}"


def rounded(value: float, digits: int = 2) -> float:
    """The value with so many significant digits."""
    if value == 0 or not math.isfinite(value):
        return value
    return round(value, digits - 1 - math.floor(math.log10(abs(value))))


def km(distance_km: float) -> str:
    """A distance: two digits below 100 km, three above."""
    if distance_km < 1:
        return "under 1 km"
    return f"{rounded(distance_km, 2 if distance_km < 100 else 3):,.0f} km"


def area(area_km2: float) -> str:
    """An area in km², with M from a million on."""
    if area_km2 >= 1e6:
        return f"{rounded(area_km2, 2 if area_km2 < 1e7 else 3) / 1e6:,.3g} M km²"
    return f"{rounded(area_km2, 2):,.0f} km²"


def share(fraction: float) -> str:
    """A share in per cent; never rounded to 0% or 100% unless it is."""
    percent = 100 * fraction
    if 0 < percent < 1:
        return "<1%"
    if 99 < percent < 100 - 1e-9:
        return ">99%"
    return f"{percent:.0f}%"


def place(lat_deg: float, lon_deg: float) -> str:
    """A coordinate with hemispheres, to a hundredth of a degree (about 1 km)."""
    return f"{abs(lat_deg):.2f}° {'N' if lat_deg >= 0 else 'S'}, {abs(lon_deg):.2f}° {'E' if lon_deg >= 0 else 'W'}"


def size(size_bytes: int) -> str:
    """A file's size in decimal units."""
    for unit, least in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size_bytes >= least:
            return f"{size_bytes / least:.3g} {unit}"
    return f"{size_bytes} bytes"


def ratio(log10: float) -> str:
    """A likelihood ratio as people write it, two digits: "18 : 1", "1 : 2.4"."""
    factor = 10.0 ** abs(log10)
    digits = f"{factor:.2g}" if factor < 10 else f"{rounded(factor):,.0f}"
    return f"{digits} : 1" if log10 >= 0 or digits == "1" else f"1 : {digits}"


def interval(log10_low: float, log10_high: float, towards: float) -> str:
    """The 95% interval of a factor, read in the direction in which `towards` points, weak end first."""
    sign = -1.0 if towards < 0 else 1.0
    weak, strong = sorted((sign * log10_low, sign * log10_high))
    if is_cut_off(log10_low, log10_high):
        return f"95% interval cut off at the bound of {ratio(strong)}"
    return f"95% interval {ratio(weak)} to {ratio(strong)}"


def is_cut_off(log10_low: float, log10_high: float) -> bool:
    """Whether both ends of a factor's interval are at the bound, so that the interval adds nothing."""
    return abs(log10_high - log10_low) < 0.005


def count(number: int) -> str:
    """A small number as a word."""
    names = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return names[number] if 0 <= number < len(names) else f"{number:,}"


def skipped(kind: str, number: int) -> str:
    """What decoding had to skip, a clause: "3 audio packets could not be decoded"."""
    if kind == "clock":
        return f"{number:,} jump{'' if number == 1 else 's'} in the time stamps {'was' if number == 1 else 'were'} ignored"
    return f"{number:,} {kind} packet{'' if number == 1 else 's'} could not be decoded"


def area_beside(area_km2: float) -> str:
    """An area in km² beside one that people know."""
    from engine.world.places import describe_area

    return f"{area(area_km2)} ({describe_area(area_km2)})"
