# %%
item = {"n": 0}
boxes = [item, item]
index = {"first": boxes[0]}
# %%
index["first"]["n"] += 1
# %%
boxes[1]["n"] += 10
# %%
print(item, boxes, index, boxes[0] is boxes[1] is item)
