# %%
import socket
left, right = socket.socketpair()
# %%
left.sendall(b"hello")
# %%
print(right.recv(5))
# %%
left.close(); right.close()
