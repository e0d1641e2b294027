# %%
log = "lo" + "g.txt"
open(log, "w").close()
# %%
with open(log, "a") as f:
    f.write("first\n")
# %%
with open(log, "a") as f:
    f.write("second\n")
# %%
print(open(log).read())
