# %%
import pandas as pd
left = pd.DataFrame({"k": [1, 2], "a": [1, 2]})
right = pd.DataFrame({"k": [1, 2], "b": [3, 4]})
# %%
left["a"] += 1
# %%
right = right.assign(b=right.b * 10)
# %%
both = left.merge(right, on="k")
print(both)
