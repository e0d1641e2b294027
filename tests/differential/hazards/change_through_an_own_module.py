# %%
# file: own_tools.py
# def clean(frame):
#     frame["clean"] = True
#     return None
# %%
import pandas as pd
import own_tools
frame = pd.DataFrame({"a": [1]})
# %%
own_tools.clean(frame)
# %%
print(frame)
