# %%
from collections import defaultdict
counts = defaultdict(list)
# %%
counts["a"].append(1)
# %%
missing = counts["b"]
# %%
missing.append(2)
print(dict(counts))
