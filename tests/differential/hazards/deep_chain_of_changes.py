# %%
config = {"model": {"layers": [{"units": 1}]}}
layers = config["model"]["layers"]
# %%
layers.append({"units": 2})
first = layers[0]
# %%
first["units"] = 64
# %%
print(config, layers[0] is first)
