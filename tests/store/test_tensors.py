"""PyTorch's tensors, modules and optimizers come back as they were, memory and gradients included."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch", reason="install it with `pip install torch`")


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.randn(100, 30),
        lambda: torch.randn(4, 5).t(),
        lambda: torch.tensor(3),
        lambda: torch.empty(0, 3),
        lambda: torch.ones(3, dtype=torch.bfloat16),
        lambda: torch.tensor([1 + 2j]),
        lambda: torch.eye(3).to_sparse(),
        pytest.param(
            lambda: torch.eye(3).to_sparse_csr(),
            marks=pytest.mark.filterwarnings("ignore:Sparse CSR tensor support is in beta state"),
        ),
        lambda: torch.tensor([True, False]),
    ],
)
def test_tensors_come_back_as_they_were(shelf, make):
    before = make()
    after = shelf.round_trip(before)
    assert after.dtype == before.dtype
    assert after.layout == before.layout
    assert torch.equal(after.to_dense(), before.to_dense())
    if before.layout == torch.strided:
        assert after.stride() == before.stride()
    assert shelf.digest(after) == shelf.digest(before)


def test_views_share_memory_again(shelf):
    whole = torch.randn(100, 100)
    loaded = shelf.round_trips(whole=whole, part=whole[:10], held=[whole, {"row": whole[0]}])
    loaded["part"][0, 0] = 99.0
    assert loaded["whole"][0, 0] == 99.0
    assert loaded["held"][1]["row"][0] == 99.0
    assert loaded["held"][0] is loaded["whole"]


def test_tensors_with_nothing_in_common_are_kept_apart(shelf):
    kept = shelf.keep(one=torch.randn(3), other=torch.randn(3), empty=torch.empty(0), none=torch.empty(0))
    assert len({ref.bundle for ref in kept.refs.values()}) == 4


def test_an_optimizer_goes_on_with_the_module_that_it_was_made_for(shelf):
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.BatchNorm1d(8), torch.nn.ReLU(), torch.nn.Linear(8, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1)
    data = torch.randn(6, 4)
    for _ in range(2):
        model(data).sum().backward()
    loaded = shelf.round_trips(model=model, optimizer=optimizer)
    for one, other in ((model, optimizer), (loaded["model"], loaded["optimizer"])):
        other.step()
        other.zero_grad()
        one(data).sum().backward()
        other.step()
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded["model"].parameters(), strict=True))
    assert torch.equal(model(data), loaded["model"](data))


def test_a_gradient_is_part_of_what_a_module_is(shelf):
    model = torch.nn.Linear(2, 1)
    before = shelf.digest(model)
    model(torch.ones(1, 2)).sum().backward()
    assert shelf.digest(model) != before


def test_a_tensor_that_knows_where_it_is_from_stays_with_it(shelf):
    weights = torch.ones(2, requires_grad=True)
    assert shelf.keep(loss=(weights * 2).sum()).unstorable == {"loss": "tensor in a graph of gradients"}


def test_a_tensor_can_be_resized_when_it_has_come_back(shelf):
    before = torch.ones(2000)
    assert shelf.round_trip(before).resize_(3000).shape == before.resize_(3000).shape


def test_generators_and_loaders_go_on_where_they_were(shelf):
    generator = torch.Generator().manual_seed(3)
    torch.rand(2, generator=generator)
    after = shelf.round_trip(generator)
    assert torch.equal(torch.rand(3, generator=after), torch.rand(3, generator=generator))
    data = torch.utils.data.TensorDataset(torch.arange(10.0))
    loaded = shelf.round_trip(torch.utils.data.DataLoader(data, batch_size=4))
    assert [batch[0].tolist() for batch in loaded] == [[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0], [8.0, 9.0]]
