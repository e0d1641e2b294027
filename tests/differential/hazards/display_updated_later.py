# %%
from IPython.display import display, update_display
handle = display("first", display_id=True)
named = display("a", display_id="mine")
# %%
handle.update("second")
display("b", display_id="mine")
# %%
update_display("c", display_id="mine")
print(1)
