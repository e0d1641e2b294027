# %%
def account():
    balance = 0
    def put(amount):
        nonlocal balance
        balance += amount
    def tell():
        return balance
    return put, tell
put, tell = account()
# %%
put(5)
# %%
put(6)
# %%
print(tell())
