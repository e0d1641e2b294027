# %%
class Base:
    registry = []
    def __init_subclass__(cls):
        Base.registry.append(cls.__name__)
    def say(self):
        return "base"
# %%
class Child(Base):
    def say(self):
        return "child of " + super().say()
# %%
class Grandchild(Child):
    pass
one = Grandchild()
# %%
Base.say = lambda self: "changed"
# %%
print(one.say(), Base.registry, isinstance(one, Base), issubclass(Grandchild, Base))
