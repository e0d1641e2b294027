# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2]})
held = {"frames": [df], "first": df["a"]}
# %%
held["frames"][0]["b"] = 5
# %%
for one in held["frames"]:
    one.loc[0, "a"] = 99
# %%
print(df, held["first"].tolist(), held["frames"][0] is df)
