# %%
import queue
import threading
box = queue.Queue()
def work(n):
    box.put(n * n)
# %%
threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
for thread in threads:
    thread.start()
# %%
for thread in threads:
    thread.join()
# %%
print(sorted(box.get() for _ in range(4)))
