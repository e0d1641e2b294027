# %%
import subprocess
import sys
import threading
lock = threading.Lock()
child = subprocess.Popen([sys.executable, "-c", "print(input())"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
# %%
with lock:
    child.stdin.write("line\n")
    child.stdin.flush()
# %%
print(child.communicate()[0], lock.locked())
