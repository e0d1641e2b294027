# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 5, 9]})
limit = 3
# %%
big = df.query("a > @limit")
# %%
limit = 6
huge = df.query("a > @limit")
df.eval("b = a * @limit", inplace=True)
# %%
print(len(big), len(huge), df.b.tolist())
