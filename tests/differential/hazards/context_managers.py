# %%
from contextlib import contextmanager
events = []
@contextmanager
def noted(name):
    events.append("in " + name)
    yield events
    events.append("out " + name)
# %%
with noted("a") as inside:
    inside.append("body")
# %%
with noted("b"):
    pass
print(events)
