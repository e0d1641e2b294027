# %%
import sklearn
sklearn.set_config(transform_output="pandas", print_changed_only=False)
# %%
import pandas as pd
from sklearn.preprocessing import StandardScaler
scaled = StandardScaler().fit_transform(pd.DataFrame({"a": [1.0, 2.0, 3.0]}))
# %%
print(type(scaled).__name__, sklearn.get_config()["print_changed_only"])
# %%
print(StandardScaler())
