"""Names of oceans and seas, from outlines drawn by hand: rough, for wording only."""

from __future__ import annotations

from functools import cache

import numpy as np
import shapely

# Outlines as (longitude, latitude) pairs, about as the International Hydrographic Organization divides them (Special
# Publication 23, Limits of Oceans and Seas, 3rd edition 1953); the first that holds a place names it.
_SEAS: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = (
    ("the Black Sea", ((27.3, 40.9), (30, 41), (42, 40.8), (42, 47.5), (30, 47), (27.3, 43))),
    ("the Caspian Sea", ((46.5, 36.3), (55, 36.3), (55, 47.5), (46.5, 47.5))),
    ("the Baltic Sea", ((10, 53.5), (22, 53.5), (30.5, 59), (30.5, 61), (25.7, 66), (20, 66), (16, 60), (12.6, 56.2), (10, 56))),
    ("the North Sea", ((-3, 56), (-4, 58.6), (-1, 61), (5, 62), (8, 58), (10.5, 59.5), (10, 56), (9, 53.3), (2.5, 51), (1, 51))),
    (
        "the English Channel",
        (
            (-5.7, 50.1),
            (-5.2, 48.4),
            (-1.5, 48.5),
            (0, 49.3),
            (1.7, 50.1),
            (2.0, 51),
            (1.3, 51.2),
            (0, 50.9),
            (-2, 50.7),
            (-4, 50.4),
        ),
    ),
    ("the Irish Sea", ((-6.5, 52), (-5, 52), (-2.8, 53.2), (-2.8, 55), (-5, 55), (-6.5, 54.5))),
    (
        "the Mediterranean Sea",
        (
            (-5.5, 35.2),
            (10, 30),
            (20, 30),
            (36.5, 31),
            (36.5, 37.2),
            (27, 37.5),
            (26.5, 41),
            (19, 42),
            (13, 46),
            (-1, 42),
            (-5.5, 36.2),
        ),
    ),
    ("the Red Sea", ((32.2, 30.1), (35.1, 29.7), (43.6, 13), (42.5, 12.4), (36, 20))),
    ("the Persian Gulf", ((47.5, 30.8), (51, 30.2), (56.5, 27.2), (56.2, 25.8), (51, 23.8), (48, 28))),
    (
        "the Arabian Sea",
        ((43.3, 11.5), (51.3, 11.8), (52, 4), (74, 4), (77.5, 8), (73, 25), (57, 25.7), (56.5, 27), (59, 22), (45, 12.8)),
    ),
    ("the Bay of Bengal", ((80, 6), (95.3, 5.6), (94.3, 16), (92, 23), (80, 17), (79.5, 10))),
    ("the Andaman Sea", ((94, 16.5), (94, 6), (97, 5), (100, 6.5), (98.7, 10), (98, 17))),
    ("the Gulf of Thailand", ((99, 7), (102.2, 6.2), (104.9, 8.6), (102.5, 13.7), (99, 13.7))),
    (
        "the South China Sea",
        ((103.5, 1.3), (110, 1.5), (117, 7), (120, 14), (120.7, 22), (114, 23), (106, 20), (109, 12), (104.8, 8.6)),
    ),
    ("the East China Sea", ((119, 25), (122, 25), (130, 30), (129.7, 33.2), (126, 33.5), (121, 32))),
    ("the Yellow Sea", ((119, 32.5), (126.3, 33.5), (126.8, 38), (124, 40), (121.7, 41), (117.3, 39))),
    (
        "the Sea of Japan",
        ((127.5, 35), (131, 34), (136, 35.5), (140, 40), (141.9, 46), (142, 51.5), (138, 48), (129.5, 42), (127.3, 39)),
    ),
    ("the Sea of Okhotsk", ((142, 46), (145.5, 44), (156, 50.8), (163, 60), (155, 60), (135, 55), (142, 53.5))),
    ("the Bering Sea", ((162, 56), (165, 54.5), (180, 51.5), (180, 66), (170, 62), (162.5, 58))),
    ("the Bering Sea", ((-180, 51.5), (-165, 53.6), (-157, 58), (-161, 64), (-168, 66), (-180, 66))),
    ("the Gulf of Alaska", ((-157, 56.5), (-150, 54.5), (-133, 54.5), (-137, 59), (-150, 61.2), (-157, 58.5))),
    ("Hudson Bay", ((-95, 51), (-78.5, 51), (-77, 63.5), (-95, 64))),
    ("the Gulf of Mexico", ((-98, 18), (-90.5, 18), (-87, 21.5), (-84.9, 22), (-80.5, 24.5), (-82, 30), (-98, 30.5))),
    (
        "the Caribbean Sea",
        (
            (-89, 15.5),
            (-83, 8.8),
            (-77, 7.5),
            (-62, 10),
            (-60.5, 13),
            (-61.7, 17),
            (-66, 18.3),
            (-73, 19),
            (-77, 20),
            (-85, 22),
            (-88, 21),
        ),
    ),
    ("the Gulf of California", ((-115, 32), (-109.9, 22.9), (-105.7, 22), (-112, 32))),
    ("the Labrador Sea", ((-64, 60), (-56, 52), (-43.5, 59.8), (-52, 65), (-62, 65))),
    ("the Greenland Sea", ((-22, 70), (-11, 71), (0, 73), (10, 76.5), (10, 80), (-20, 81))),
    ("the Norwegian Sea", ((-1, 61), (5, 62), (15, 68.5), (25.7, 71.2), (17, 76.5), (0, 73), (-9, 71), (-13.5, 65), (-7, 62))),
    ("the Barents Sea", ((25.7, 71.2), (30, 70), (41, 68), (55, 69), (57, 71), (68, 77), (65, 80.5), (17, 80), (17, 76.5))),
    (
        "the Tasman Sea",
        ((147, -43.5), (150, -37.5), (153.5, -30), (167.5, -34), (173, -34.5), (172.5, -41), (166.5, -46), (158, -51)),
    ),
    ("the Coral Sea", ((142, -10.5), (153.5, -30), (163, -22), (167, -15), (162, -10.5), (147, -10))),
    ("the Java Sea", ((105.8, -6), (114.5, -8), (119.5, -5.5), (116, -3), (110, -2), (106, -3))),
    ("the Banda Sea", ((121, -8), (131, -8.2), (131, -3.5), (123, -4))),
    ("the Celebes Sea", ((117.5, 4), (119.5, 1), (125, 1.5), (125.5, 6), (122, 7.5))),
    ("the Philippine Sea", ((121, 22), (124, 12), (126.5, 7), (134.5, 7.5), (145, 13.5), (142, 27), (139, 34), (131, 31))),
    ("the Gulf of Guinea", ((-7.5, 4.4), (8.7, -0.6), (9.8, 4), (6, 6.5), (0, 6.3))),
    ("the Mozambique Channel", ((40.5, -10.5), (49, -12.2), (44, -25), (33, -27), (34.5, -20))),
    ("the Gulf of Aden", ((43.3, 11.5), (51.3, 11.9), (52, 15.5), (45, 13))),
    ("the Great Australian Bight", ((115, -35.1), (146, -39), (138, -31.5), (129, -31))),
)
# The land bridge of America parts the Pacific from the Atlantic: (latitude, longitude) of the divide, north to south.
_DIVIDE = np.array(
    [
        [72.0, -120.0],
        [50.0, -115.0],
        [30.0, -105.0],
        [18.0, -97.0],
        [15.0, -90.0],
        [10.0, -84.0],
        [8.5, -80.0],
        [8.2, -77.5],
        [0.0, -78.0],
        [-20.0, -68.0],
        [-50.0, -71.0],
        [-56.0, -67.3],
        [-90.0, -67.3],
    ]
)


@cache
def _outlines() -> tuple[tuple[str, shapely.Polygon], ...]:
    return tuple((name, shapely.Polygon(points)) for name, points in _SEAS)


def name_at(lat_deg: float, lon_deg: float) -> str:
    """The sea or ocean at a place, taken to be at sea: "the North Sea", "the South Pacific Ocean"."""
    lon = (lon_deg + 180.0) % 360.0 - 180.0
    point = shapely.Point(lon, lat_deg)
    for name, outline in _outlines():
        if outline.covers(point):
            return name
    if lat_deg < -60.0:
        return "the Southern Ocean"
    if lat_deg > 72.0 or (lat_deg > 66.6 and not -45.0 < lon < 20.0):
        return "the Arctic Ocean"
    divide = float(np.interp(-lat_deg, -_DIVIDE[:, 0], _DIVIDE[:, 1]))
    half = "" if abs(lat_deg) < 5.0 else "North " if lat_deg > 0 else "South "
    if divide < lon < 20.0:
        return f"the {half}Atlantic Ocean"
    east = 146.8 if lat_deg < -10 else 100.0 + max(0.0, -lat_deg) * 2.0
    if 20.0 <= lon < east and lat_deg < 31.0:
        return "the Indian Ocean"
    return f"the {half}Pacific Ocean"
