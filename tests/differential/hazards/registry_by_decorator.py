# %%
REGISTRY = {}
def register(kind):
    REGISTRY[kind.__name__] = kind
    return kind
# %%
@register
class Linear:
    order = 1
# %%
@register
class Quadratic(Linear):
    order = 2
# %%
print({name: kind.order for name, kind in REGISTRY.items()}, REGISTRY["Linear"] is Linear)
