# %%
out = open("note" + ".txt", "w+")
out.write("one\n")
# %%
out.write("two\n")
# %%
out.seek(0)
print(out.read())
out.close()
