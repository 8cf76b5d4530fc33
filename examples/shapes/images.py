"""Renders the images of the shapes example: small colour pictures of ten classes, each from its own random numbers."""

from multiprocessing import Pool

import numpy as np

CLASSES = ("circle", "square", "triangle", "cross", "star", "ring", "crescent", "spiral", "stripes", "checkerboard")
SIZE = 24
# Every pixel is the mean of OVERSAMPLING² points.
OVERSAMPLING = 3
PROCESSES = 2

_points = (np.arange(SIZE * OVERSAMPLING, dtype=np.float32) + 0.5) / (SIZE * OVERSAMPLING) * 2 - 1
# Coordinates of all points, from -1 to 1 over the image.
X, Y = np.meshgrid(_points, _points)


def render_many(seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """`count` images (count×SIZE×SIZE×3 uint8) and their labels (count, uint8), the classes in turn.

    Image i depends on the seed and on i only.
    """
    with Pool(PROCESSES) as pool:
        images = pool.starmap(render, ((seed, index) for index in range(count)), chunksize=256)
    return np.stack(images), (np.arange(count) % len(CLASSES)).astype(np.uint8)


def render(seed: int, index: int) -> np.ndarray:
    """One image, SIZE×SIZE×3 uint8, of class `index % 10`."""
    random = np.random.default_rng([seed, index])
    picture = gradient(random, random.uniform(0, 1, (2, 3)))
    behind = picture.mean((0, 1))
    for _ in range(random.integers(0, 3)):
        draw(picture, scratch(random), random.uniform(0, 1, 3))
    colour = contrasting(random, behind)
    paint = gradient(random, np.clip(colour + random.normal(0, 0.1, (2, 3)), 0, 1))
    draw(picture, placed_shape(random, CLASSES[index % len(CLASSES)]), paint)
    if random.uniform() < 0.4:
        draw(picture, scratch(random), random.uniform(0, 1, 3))
    pixels = picture.reshape(SIZE, OVERSAMPLING, SIZE, OVERSAMPLING, 3).mean((1, 3))
    pixels += random.normal(0, random.uniform(0.02, 0.1), pixels.shape)
    return (np.clip(pixels, 0, 1) * 255 + 0.5).astype(np.uint8)


def draw(picture: np.ndarray, mask: np.ndarray, paint: np.ndarray) -> None:
    """Puts `paint` (one colour, or one for every point) on the points of the mask."""
    picture[mask] = paint[mask] if paint.ndim == 3 else paint


def gradient(random: np.random.Generator, colours: np.ndarray) -> np.ndarray:
    """A picture that goes from one colour to another in a random direction."""
    angle = random.uniform(0, 2 * np.pi)
    share = np.clip(0.5 + 0.5 * (np.cos(angle) * X + np.sin(angle) * Y), 0, 1)[..., None]
    return (colours[0] * (1 - share) + colours[1] * share).astype(np.float32)


def contrasting(random: np.random.Generator, behind: np.ndarray) -> np.ndarray:
    """A random colour that differs from the one behind it."""
    while True:
        colour = random.uniform(0, 1, 3)
        if np.linalg.norm(colour - behind) > 0.3:
            return colour


def scratch(random: np.random.Generator) -> np.ndarray:
    """The mask of a thin straight line anywhere, to be ignored by the network."""
    angle = random.uniform(0, np.pi)
    across = np.cos(angle) * X + np.sin(angle) * Y - random.uniform(-0.9, 0.9)
    return np.abs(across) < random.uniform(0.03, 0.07)


def placed_shape(random: np.random.Generator, name: str) -> np.ndarray:
    """The mask of a shape of random size, place, rotation and slight stretch."""
    radius = random.uniform(0.4, 0.85)
    room = 1 - 0.9 * radius
    x, y = X - random.uniform(-room, room), Y - random.uniform(-room, room)
    angle, stretch = random.uniform(0, 2 * np.pi), random.uniform(0.88, 1.12)
    u = (np.cos(angle) * x + np.sin(angle) * y) / (radius * stretch)
    v = (np.cos(angle) * y - np.sin(angle) * x) / (radius / stretch)
    return shape(random, name, u, v)


def shape(random: np.random.Generator, name: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The mask of a shape that fills about the unit circle of the coordinates (u, v)."""
    r = np.hypot(u, v)
    if name == "circle":
        return r < 0.95
    if name == "square":
        return box(u, v, 0.85)
    if name == "triangle":
        return np.maximum(-u, np.maximum(0.5 * u + 0.866 * v, 0.5 * u - 0.866 * v)) < 0.55
    if name == "cross":
        width = random.uniform(0.22, 0.36)
        return (box(u, v, 1)) & (np.minimum(np.abs(u), np.abs(v)) < width)
    if name == "star":
        return five_points(u, v, inner=random.uniform(0.38, 0.5))
    if name == "ring":
        return (r < 1) & (r > random.uniform(0.5, 0.72))
    if name == "crescent":
        return (r < 1) & (np.hypot(u - random.uniform(0.4, 0.6), v) > 0.85)
    if name == "spiral":
        turns = random.uniform(1.6, 2.1)
        return (r < 1) & ((r * turns + np.arctan2(v, u) / (2 * np.pi)) % 1 < 0.5)
    patch = r < 1 if random.uniform() < 0.5 else box(u, v, 0.9)
    frequency, phase = random.uniform(6, 9), random.uniform(0, 2 * np.pi, 2)
    stripes = np.sin(frequency * u + phase[0]) > 0
    if name == "stripes":
        return patch & stripes
    return patch & (stripes ^ (np.sin(frequency * v + phase[1]) > 0))


def box(u: np.ndarray, v: np.ndarray, half: float) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) < half


def five_points(u: np.ndarray, v: np.ndarray, inner: float) -> np.ndarray:
    """A star with tips at radius 1 and notches at radius `inner`: all is folded into the sector from tip to notch."""
    half = np.pi / 5
    angle = np.abs((np.arctan2(v, u) % (2 * half)) - half)
    r = np.hypot(u, v)
    along, across = r * np.cos(half - angle), r * np.sin(half - angle)
    notch_along, notch_across = inner * np.cos(half), inner * np.sin(half)
    return (1 - along) * notch_across - across * (1 - notch_along) > 0
