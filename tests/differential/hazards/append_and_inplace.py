# soorgeon's failure: methods that change their object.
# %%
import pandas as pd
rows, frame = [], pd.DataFrame({"a": [3, 1, 2], "z": [0, 0, 0]})
# %%
rows.append(1)
frame.drop(columns="z", inplace=True)
# %%
rows.extend([2, 3])
frame.sort_values("a", inplace=True)
# %%
frame.rename(columns={"a": "b"}, inplace=True)
print(rows, frame)
