"""Codes of public data sets: which class a value, a palette index or a colour stands for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["KNOWN", "Table", "voc_colours"]


@dataclass(frozen=True)
class Table:
    """title: as it is spoken of. names: one a class, in the order of the classes. ids, colours: value → class
    (colours as 0xRRGGBB), −1 where void; what stands in neither is not part of the code."""

    title: str
    names: tuple[str, ...]
    ids: Mapping[int, int]
    colours: Mapping[int, int]

    def codes(self, *, colours: bool) -> list[int]:
        """The first code of each class; −1 for a class that has none of that kind."""
        table = self.colours if colours else self.ids
        first: dict[int, int] = {}
        for code, number in table.items():
            first.setdefault(number, code)
        return [first.get(k, -1) for k in range(len(self.names))]


def voc_colours(n: int = 256) -> NDArray[np.uint8]:
    """(n, 3) uint8: the colour map of Pascal VOC's development kit: bit 3k + c of an index is bit 7 − k of
    channel c."""
    indices = np.arange(n)[:, np.newaxis]
    colours = np.zeros((n, 3), np.int64)
    for k in range(8):
        colours |= ((indices >> np.array([3 * k, 3 * k + 1, 3 * k + 2])) & 1) << (7 - k)
    return colours.astype(np.uint8)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.replace("\n", " ").split(","))


def _hexes(text: str) -> list[int]:
    return [int(code, 16) for code in text.split()]


def _pack(rgb: NDArray[np.uint8]) -> list[int]:
    return [int(r) << 16 | int(g) << 8 | int(b) for r, g, b in rgb]


# Everingham et al., VOC2012 development kit: 255 is void, drawn (224, 224, 192).
_VOC_NAMES = _names(
    "background, aeroplane, bicycle, bird, boat, bottle, bus, car, cat, chair, cow, diningtable, dog, horse, "
    "motorbike, person, pottedplant, sheep, sofa, train, tvmonitor"
)
_VOC_COLOURS = _pack(voc_colours(21))

# Cordts et al. 2016: the 19 classes that are scored, by label id, by train id and by colour. The rest is void.
_CITY_NAMES = _names(
    "road, sidewalk, building, wall, fence, pole, traffic light, traffic sign, vegetation, terrain, sky, person, "
    "rider, car, truck, bus, train, motorcycle, bicycle"
)
_CITY_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)
_CITY_COLOURS = _hexes(
    "804080 f423e8 464646 66669c be9999 999999 faaa1e dcdc00 6b8e23 98fb98 4682b4 dc143c ff0000 00008e 000046 "
    "003c64 005064 0000e6 770b20"
)
_CITY_VOID_COLOURS = _hexes("000000 6f4a00 510051 faaaa0 e6968c b4a5b4 966464 96785a 00005a 00006e")

# Zhou et al. 2017, the 150 classes of the scene parsing benchmark; 0 is everything else.
_ADE_NAMES = _names(
    """wall, building, sky, floor, tree, ceiling, road, bed, windowpane, grass, cabinet, sidewalk, person, earth,
    door, table, mountain, plant, curtain, chair, car, water, painting, sofa, shelf, house, sea, mirror, rug, field,
    armchair, seat, fence, desk, rock, wardrobe, lamp, bathtub, railing, cushion, base, box, column, signboard,
    chest of drawers, counter, sand, sink, skyscraper, fireplace, refrigerator, grandstand, path, stairs, runway,
    case, pool table, pillow, screen door, stairway, river, bridge, bookcase, blind, coffee table, toilet, flower,
    book, hill, bench, countertop, stove, palm, kitchen island, computer, swivel chair, boat, bar, arcade machine,
    hovel, bus, towel, light, truck, tower, chandelier, awning, streetlight, booth, television receiver, airplane,
    dirt track, apparel, pole, land, bannister, escalator, ottoman, bottle, buffet, poster, stage, van, ship,
    fountain, conveyer belt, canopy, washer, plaything, swimming pool, stool, barrel, basket, waterfall, tent, bag,
    minibike, cradle, oven, ball, food, step, tank, trade name, microwave, pot, animal, bicycle, lake, dishwasher,
    screen, blanket, sculpture, hood, sconce, vase, traffic light, tray, ashcan, fan, pier, crt screen, plate,
    monitor, bulletin board, shower, radiator, glass, clock, flag"""
)

# Neuhold et al. 2017 (v1.2): index 65, black, is unlabelled.
_VISTAS_NAMES = _names(
    """bird, ground animal, curb, fence, guard rail, barrier, wall, bike lane, crosswalk, curb cut, parking,
    pedestrian area, rail track, road, service lane, sidewalk, bridge, building, tunnel, person, bicyclist,
    motorcyclist, other rider, lane marking (crosswalk), lane marking (general), mountain, sand, sky, snow, terrain,
    vegetation, water, banner, bench, bike rack, billboard, catch basin, CCTV camera, fire hydrant, junction box,
    mailbox, manhole, phone booth, pothole, street light, pole, traffic sign frame, utility pole, traffic light,
    traffic sign (back), traffic sign (front), trash can, bicycle, boat, bus, car, caravan, motorcycle, on rails,
    other vehicle, trailer, truck, wheeled slow, car mount, ego vehicle"""
)
_VISTAS_COLOURS = _hexes(
    """a52a2a 00c000 c4c4c4 be9999 b4a5b4 5a7896 66669c 8040ff 8c8cc8 aaaaaa faaaa0 606060 e6968c 804080 6e6e6e
    f423e8 966464 464646 96785a dc143c ff0000 ff0064 ff00c8 c88080 ffffff 40aa40 e6a032 4682b4 beffff 98fb98 6b8e23
    00aa1e ffff80 fa001e 648cb4 dcdcdc dc8080 de2828 64aa1e 282828 212121 6480a0 8e0000 466496 d2aa64 999999 808080
    000050 faaa1e c0c0c0 dcdc00 8c8c14 770b20 9600ff 003c64 00008e 00005a 0000e6 005064 804040 00006e 000046 0000c0
    202020 780a0a"""
)


def _table(
    title: str,
    names: tuple[str, ...],
    ids: Iterable[int],
    colours: Iterable[int],
    void: Iterable[int],
    void_colours: Iterable[int],
) -> Table:
    by_id = {code: k for k, code in enumerate(ids)} | dict.fromkeys(void, -1)
    by_colour = {code: k for k, code in enumerate(colours)} | dict.fromkeys(void_colours, -1)
    return Table(title, names, by_id, by_colour)


_CITY_VOID = [-1, 255, *(k for k in range(34) if k not in _CITY_IDS)]

KNOWN: dict[str, Table] = {
    "voc": _table("Pascal VOC", _VOC_NAMES, range(21), _VOC_COLOURS, [255], _hexes("e0e0c0")),
    "cityscapes": _table("Cityscapes", _CITY_NAMES, _CITY_IDS, _CITY_COLOURS, _CITY_VOID, _CITY_VOID_COLOURS),
    "cityscapes_train": _table(
        "Cityscapes train ids", _CITY_NAMES, range(19), _CITY_COLOURS, [-1, 255], _CITY_VOID_COLOURS
    ),
    "ade20k": _table("ADE20K scene parsing", _ADE_NAMES, range(1, 151), (), [0], ()),
    "vistas": _table("Mapillary Vistas", _VISTAS_NAMES, range(65), _VISTAS_COLOURS, [65, 255], [0]),
}
"""What each named encoding's codes stand for. ADE20K's colour files hold ids instead: see `combined`."""
