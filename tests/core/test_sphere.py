"""Known answers on the sphere: poles, antimeridian, antipode, identity."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core import sphere

HALF_WAY_KM = np.pi * sphere.EARTH_RADIUS_KM


def random_places(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


def test_a_perfect_predictor_scores_exactly_zero() -> None:
    lat, lon = random_places(10_000)
    lat, lon = np.append(lat, [90.0, -90.0, 0.0]), np.append(lon, [12.0, -170.0, 180.0])
    assert (sphere.distance_km(lat, lon, lat, lon) == 0.0).all()


def test_a_pole_is_one_place_whatever_its_longitude() -> None:
    assert sphere.distance_km(90, 0, 90, 137) == pytest.approx(0.0, abs=1e-9)
    assert sphere.distance_km(-90, 0, 90, 55) == pytest.approx(HALF_WAY_KM)
    assert sphere.distance_km(90, 33, 0, -120) == pytest.approx(HALF_WAY_KM / 2)


def test_the_antimeridian_is_no_barrier() -> None:
    one_degree_km = np.pi * sphere.EARTH_RADIUS_KM / 180
    assert sphere.distance_km(0, 179.5, 0, -179.5) == pytest.approx(one_degree_km)
    assert sphere.distance_km(0, 180, 0, -180) == pytest.approx(0.0, abs=1e-9)
    assert sphere.distance_km(10, 370, 10, 10) == pytest.approx(0.0, abs=1e-9)


def test_the_antipode_is_half_way_round_to_the_metre() -> None:
    lat, lon = random_places(1000, seed=1)
    np.testing.assert_allclose(sphere.distance_km(lat, lon, -lat, lon + 180), HALF_WAY_KM, atol=1e-6)


def test_small_distances_keep_their_digits() -> None:
    """A millimetre, where acos of an inner product gives 0 or 95 m."""
    millimetre_deg = np.degrees(1e-6 / sphere.EARTH_RADIUS_KM)
    assert sphere.distance_km(48.85, 2.35, 48.85 + millimetre_deg, 2.35) == pytest.approx(1e-6, rel=1e-4)


def test_known_distance_between_two_cities() -> None:
    # Paris to New York, haversine on the mean sphere: 5,837 km.
    assert sphere.distance_km(48.8566, 2.3522, 40.7128, -74.0060) == pytest.approx(5837.2, abs=0.5)


def test_latitude_survives_the_way_through_unit_vectors() -> None:
    lat, lon = random_places(1000, seed=2)
    back_lat, back_lon = sphere.to_lat_lon(sphere.to_xyz(lat, lon))
    np.testing.assert_allclose(back_lat, lat, atol=1e-10)
    np.testing.assert_allclose(back_lon, lon, atol=1e-10)
    np.testing.assert_allclose(np.linalg.norm(sphere.to_xyz(lat, lon), axis=1), 1.0, atol=1e-14)


def test_longitude_comes_back_within_half_open_turn() -> None:
    _, lon = sphere.to_lat_lon(sphere.to_xyz(0.0, -180.0))
    assert float(lon) == 180.0


@pytest.mark.parametrize(("lat", "lon"), [(np.nan, 0.0), (0.0, np.inf), (90.001, 0.0), (-91.0, 0.0)])
def test_impossible_places_raise(lat: float, lon: float) -> None:
    with pytest.raises(ValueError):
        sphere.to_xyz(lat, lon)
    with pytest.raises(ValueError):
        sphere.distance_km(lat, lon, 0.0, 0.0)


def test_pairwise_agrees_with_the_exact_distance() -> None:
    lat, lon = random_places(200, seed=3)
    lat[1], lon[1] = lat[0] + 1e-6, lon[0]
    lat[2], lon[2] = -lat[0], lon[0] + 180
    xyz = sphere.to_xyz(lat, lon)
    exact = sphere.distance_km(lat[:, None], lon[:, None], lat[None], lon[None])
    found = sphere.pairwise_km(xyz, xyz)
    assert (np.diag(found) == 0.0).all()
    near = exact < HALF_WAY_KM - 50
    np.testing.assert_allclose(found[near], exact[near], atol=2e-3)
    np.testing.assert_allclose(found, exact, atol=0.5)


@pytest.mark.parametrize(
    ("start", "end", "bearing"),
    [((0, 0), (10, 0), 0), ((0, 0), (0, 10), 90), ((10, 5), (0, 5), 180), ((0, 179), (0, -179), 90), ((0, 0), (0, 0), 0)],
)
def test_bearings(start: tuple[float, float], end: tuple[float, float], bearing: float) -> None:
    assert sphere.bearing_deg(*start, *end) == pytest.approx(bearing, abs=1e-9)


def test_great_circle_ends_where_it_should_in_equal_steps() -> None:
    lat, lon = sphere.great_circle(35, 139, 34, -118, steps=33)
    assert (lat[0], lon[0]) == pytest.approx((35, 139))
    assert (lat[-1], lon[-1]) == pytest.approx((34, -118))
    steps = sphere.distance_km(lat[:-1], lon[:-1], lat[1:], lon[1:])
    np.testing.assert_allclose(steps, steps[0], rtol=1e-9)
    assert lat.max() > 45  # over the north Pacific, not along the parallel


@pytest.mark.parametrize("start", [(0.0, 0.0), (90.0, 0.0), (-40.0, 170.0)])
def test_great_circle_to_the_antipode_has_the_right_length(start: tuple[float, float]) -> None:
    lat, lon = sphere.great_circle(*start, -start[0], start[1] + 180, steps=65)
    assert sphere.distance_km(lat[:-1], lon[:-1], lat[1:], lon[1:]).sum() == pytest.approx(HALF_WAY_KM, rel=1e-9)
