# %%
class Money:
    def __init__(self, n): self.n = n
get_ipython().display_formatter.formatters["text/plain"].for_type(Money, lambda m, p, c: p.text(f"{m.n} EUR"))
# %%
price = Money(5)
price
# %%
Money.__repr__ = lambda self: f"Money({self.n})"
# %%
print([price])
