# %%
import textwrap
_old = textwrap.dedent
def _loud(text):
    return "patched " + _old(text)
textwrap.dedent = _loud
# %%
print(textwrap.dedent("  hi"))
# %%
def _old(text):
    return "other" + text
# %%
print(textwrap.dedent("  hi"))
textwrap.dedent = __import__("inspect").unwrap(textwrap.dedent)
