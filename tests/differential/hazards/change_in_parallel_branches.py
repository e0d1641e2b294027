# Kale's failure: two branches that both change one frame; one change is lost.
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2, 3]})
# %%
df["b"] = df["a"] * 2
# %%
df["c"] = df["a"] + 10
df.drop(index=0, inplace=True)
# %%
print(df)
