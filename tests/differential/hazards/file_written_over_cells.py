# %%
log = open("l" + ".txt", "w")
n = log.write("abc")
# %%
k = log.write("def")
log.close()
print(open("l.txt").read())
# %%
with open("l.txt", "a") as again:
    again.write("ghi")
# %%
print(open("l" + ".txt").read())
