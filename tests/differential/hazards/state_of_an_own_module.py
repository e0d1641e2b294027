# %%
# file: own.py
# _state = {"scale": 1}
# total = 0
# def set_scale(scale):
#     _state["scale"] = scale
# def add(number):
#     global total
#     total += number * _state["scale"]
#     return total
# %%
import own
# %%
own.set_scale(10)
# %%
print(own.add(2))
# %%
print(own.add(1), own.total)
