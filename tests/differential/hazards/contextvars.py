# %%
import contextvars
level = contextvars.ContextVar("level", default=0)
# %%
token = level.set(3)
# %%
print(level.get())
