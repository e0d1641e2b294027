# soorgeon refuses these.
# %%
scale, log = 2, []
def scaled(x):
    log.append(x)
    return x * scale
def set_scale(to):
    global scale
    scale = to
# %%
a = scaled(1)
# %%
set_scale(10)
# %%
b = scaled(1)
print(a, b, log, scale)
