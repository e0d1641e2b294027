# %%
import random
random.seed(7)
deck = list(range(10))
# %%
random.shuffle(deck)
# %%
picked = random.sample(deck, 3)
# %%
print(deck, picked, random.random())
