# %%
try:
    {}["missing"]
except KeyError as error:
    caught = error
# %%
print(type(caught).__name__, caught.args)
# %%
try:
    raise RuntimeError("outer") from caught
except RuntimeError as error:
    outer = error
print(outer.__cause__ is caught)
