# %%
import itertools
lines = iter(["a", "b", "c", "d"])
ids = itertools.count(10)
pairs = zip("xyz", ids)
# %%
head = next(lines)
label = next(ids)
# %%
print(next(pairs), next(ids))
# %%
print(head, label, list(lines), next(ids))
