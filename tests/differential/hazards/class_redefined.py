# %%
class A:
    def who(self): return 1
old = A()
# %%
class A:
    def who(self): return 2
# %%
new = A()
print(old.who(), new.who(), isinstance(old, A), isinstance(new, A))
