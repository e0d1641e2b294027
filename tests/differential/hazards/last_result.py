# refused: `_3` is read here, but no cell defines it
# %%
40 + 2
# %%
print(_)
# %%
_ + 1
# %%
print(Out[1], _3, In[0])
