# %%
class Temperature:
    __slots__ = ("_c", "log")
    def __init__(self, c): self._c, self.log = c, []
    @property
    def f(self): return self._c * 9 / 5 + 32
    @f.setter
    def f(self, value):
        self.log.append(value)
        self._c = (value - 32) * 5 / 9
t = Temperature(100)
# %%
t.f = 50
# %%
print(t._c, t.log)
