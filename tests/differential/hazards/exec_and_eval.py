# %%
text = "u = 5\nv = [u]"
exec(text)
# %%
v.append(eval("u + 1"))
# %%
print(u, v, eval("sum(v)"))
