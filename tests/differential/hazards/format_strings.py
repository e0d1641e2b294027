# %%
name, width = "stage", 12
parts = {"k": [1]}
# %%
text = f"{name:>{width}}|{parts['k'][0]!r}|{len(name)=}"
# %%
template = "{name} {parts[k]}"
print(text, template.format(name=name, parts=parts), "%(name)s" % globals())
