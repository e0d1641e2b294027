# %%
%%writefile helper_module.py
def greet(name):
    return "hello " + name
# %%
import helper_module
# %%
print(helper_module.greet("you"))
