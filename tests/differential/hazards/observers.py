# %%
class Subject:
    def __init__(self): self.listeners = []
    def tell(self, what):
        for listener in self.listeners: listener(what)
heard = []
subject = Subject()
# %%
subject.listeners.append(heard.append)
subject.listeners.append(lambda what: heard.append(what * 2))
# %%
subject.tell("x")
# %%
print(heard)
