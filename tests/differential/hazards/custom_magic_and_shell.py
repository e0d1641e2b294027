# %%
from IPython.core.magic import register_line_magic
@register_line_magic
def shout(line):
    return line.upper()
# %%
loud = get_ipython().run_line_magic("shout", "hello")
# %%
print(loud)
