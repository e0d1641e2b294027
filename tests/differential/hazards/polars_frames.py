# %%
import polars as pl
df = pl.DataFrame({"a": [1, 2, 3]})
other = df
# %%
df.insert_column(1, pl.Series("b", [4, 5, 6]))
# %%
print(other.columns, df is other)
