# %%
import pandas as pd
df = pd.DataFrame({f"column_number_{number}": [number, number + 1] for number in range(30)})
# %%
print(df)
# %%
df.describe()
