# %%
import torch
from torch import nn

torch.manual_seed(0)
X = torch.randn(64, 3)
y = X @ torch.tensor([[1.0], [-2.0], [0.5]]) + 0.1 * torch.randn(64, 1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 8), nn.Dropout(0.2), nn.ReLU(), nn.Linear(8, 1))

    def forward(self, x):
        return self.inner(x)


# %%
model = Net()
optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
# %%
schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=2)
for epoch in range(5):
    optimizer.zero_grad()
    loss = nn.functional.mse_loss(model(X), y)
    loss.backward()
    optimizer.step()
    schedule.step()
    print(epoch, loss.item())
# %%
loss = nn.functional.mse_loss(model(X), y)
# %%
optimizer.zero_grad()
loss.backward()
# %%
optimizer.step()
schedule.step()
print(loss.item(), schedule.get_last_lr(), torch.rand(2))
# %%
model.eval()
with torch.no_grad():
    print(nn.functional.mse_loss(model(X), y).item())
first = model.inner[0].weight
# %%
with torch.no_grad():
    first[0] = 0
# %%
print(model.inner[0].weight[0], model.training)
