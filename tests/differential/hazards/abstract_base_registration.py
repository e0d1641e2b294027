# %%
from abc import ABC, abstractmethod
from functools import singledispatch
class Shape(ABC):
    @abstractmethod
    def area(self): ...
@singledispatch
def describe(x):
    return "unknown"
# %%
@describe.register
def _(x: int):
    return "number"
class Square(Shape):
    def __init__(self, s): self.s = s
    def area(self): return self.s**2
# %%
@Shape.register
class Odd:
    pass
# %%
print(describe(1), describe("x"), Square(3).area(), isinstance(Odd(), Shape))
