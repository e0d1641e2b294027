# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3], "g": ["x", "y", "x"]})
part = df[df.g == "x"].copy()
groups = df.groupby("g")
# %%
part["a"] = 0
df.loc[df.g == "y", "a"] = 50
# %%
print(part, groups.a.sum(), df)
