# %%
import locale
before = locale.setlocale(locale.LC_NUMERIC)
locale.setlocale(locale.LC_NUMERIC, "C.UTF-8")
# %%
print(locale.setlocale(locale.LC_NUMERIC))
# %%
locale.setlocale(locale.LC_NUMERIC, "C")
# %%
print(before, locale.setlocale(locale.LC_NUMERIC))
