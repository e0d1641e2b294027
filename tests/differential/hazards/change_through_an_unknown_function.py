# %%
import operator
data = {"n": 1}
change = operator.methodcaller("update", n=2)
# %%
seen = dict(data)
# %%
change(data)
# %%
print(data, seen)
