# Kale's failure: what is changed under another name.
# %%
import pandas as pd
df = pd.DataFrame({"a": [1, 2]})
df2 = df
numbers = [1]
# %%
df2["x"] = 1
same = numbers
# %%
same.append(2)
print(df.columns.tolist(), df is df2)
# %%
print(numbers, same is numbers)
