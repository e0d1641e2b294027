# %%
globals()["made"] = [1, 2]
for key in ("p", "q"):
    globals()["col_" + key] = key.upper()
# %%
globals()["made"].append(3)
# %%
print(made, globals()["col_q"])
