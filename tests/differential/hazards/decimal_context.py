# %%
from decimal import Decimal, getcontext
getcontext().prec = 6
# %%
third = Decimal(1) / Decimal(3)
# %%
getcontext().prec = 3
# %%
print(third, Decimal(1) / Decimal(7))
