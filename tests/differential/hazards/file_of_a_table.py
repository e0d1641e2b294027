# %%
import pandas as pd
where = "da" + "ta.csv"
pd.DataFrame({"a": [1, 2]}).to_csv(where, index=False)
# %%
frame = pd.read_csv(where)
frame["b"] = frame.a * 2
frame.to_csv(where, index=False)
# %%
print(pd.read_csv(where))
