# %%
# file: settings_of_mine.py
# LIMIT = 1
# seen = []
# %%
import settings_of_mine
# %%
settings_of_mine.LIMIT = 5
# %%
settings_of_mine.seen.append("x")
# %%
print(settings_of_mine.LIMIT, settings_of_mine.seen)
