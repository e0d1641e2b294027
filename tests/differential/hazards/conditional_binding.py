# %%
import sys
x = "first"
flag = len(sys.argv) < 0
# %%
if flag:
    x = "second"
    y = 1
# %%
try:
    print(y)
except NameError as error:
    print(error)
# %%
print(x)
