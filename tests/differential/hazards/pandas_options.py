# %%
import pandas as pd
pd.set_option("display.max_rows", 4)
# %%
frame = pd.DataFrame({"a": range(10), "b": 1 / 3})
frame
# %%
pd.options.display.precision = 2
# %%
frame
# %%
pd.reset_option("display.max_rows")
# %%
frame
