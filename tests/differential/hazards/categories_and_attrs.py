# %%
import pandas as pd
s = pd.Series(["a", "b", "a"], dtype="category")
frame = pd.DataFrame({"s": s})
frame.attrs["source"] = ["one"]
# %%
frame.attrs["source"].append("two")
# %%
frame["s"] = frame["s"].cat.add_categories("c")
# %%
print(frame.attrs, frame.s.cat.categories.tolist(), s.cat.categories.tolist())
