# %%
from enum import Enum
from typing import NamedTuple
class Colour(Enum):
    RED = 1
    BLUE = 2
class Point(NamedTuple):
    x: int
    colour: Colour
# %%
points = [Point(1, Colour.RED), Point(2, Colour.BLUE)]
# %%
print(points[0].colour is Colour.RED, [p.x for p in points if p.colour == Colour.BLUE], Colour(2) is points[1].colour)
