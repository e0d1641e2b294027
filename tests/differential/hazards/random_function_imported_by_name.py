# %%
from random import seed, shuffle, randint
from numpy.random import rand, seed as np_seed
seed(4); np_seed(4)
# %%
cards = list(range(8)); shuffle(cards)
# %%
a = rand(2)
# %%
print(cards, a, randint(0, 10**6), rand())
