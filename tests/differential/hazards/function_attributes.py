# %%
def call():
    call.count += 1
    return call.count
call.count = 0
# %%
print(call())
# %%
print(call(), call())
# %%
print(call.count)
