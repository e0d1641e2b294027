# %%
# file: prepare_script.py
# base = 40
# def plus(n):
#     return base + n
# %%
# %run prepare_script.py
# %%
answer = plus(2)
# %%
print(answer, base)
