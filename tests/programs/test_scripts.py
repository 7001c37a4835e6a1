"""Training scripts in the style of tutorials, with PyTorch's losses from the same seed."""

from __future__ import annotations

import math

import pytest

import arraytorch as torch
from arraytorch import nn, optim
from arraytorch.autograd import Variable
from arraytorch.utils.data import DataLoader, TensorDataset, random_split

F = nn.functional


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def test_a_classifier_by_epochs():
    """Convolutions, dropout, a shuffled loader, a schedule, held-back data, and old Variables."""

    class Net(nn.Module):
        def __init__(self):
            super(Net, self).__init__()  # noqa: UP008 - as scripts write it
            self.conv1, self.conv2 = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 8, kernel_size=3)
            self.drop, self.fc = nn.Dropout2d(), nn.Linear(200, 10)

        def forward(self, x):
            x = F.relu(F.max_pool2d(self.conv1(x), 2))
            x = F.relu(self.drop(self.conv2(x)))
            x = x.view(x.size(0), -1)
            return F.log_softmax(self.fc(F.dropout(x, training=self.training)), dim=1)

    data = TensorDataset(torch.rand(40, 1, 16, 16), torch.randint(0, 10, (40,)))
    train, test = random_split(data, [32, 8])
    model = Net()
    optimizer = optim.Adadelta(model.parameters(), lr=1.0)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.7)
    losses = []
    for _ in range(2):
        model.train()
        for x, y in DataLoader(train, batch_size=16, shuffle=True):
            x, y = Variable(x), Variable(y)
            optimizer.zero_grad()
            loss = F.nll_loss(model(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        schedule.step()
    model.eval()
    with torch.no_grad():
        for x, y in DataLoader(test, batch_size=8):
            losses.append(F.nll_loss(model(x), y, reduction="sum").item())
            losses.append(model(x).max(1, keepdim=True)[1].eq(y.view(-1, 1)).sum().item())
    assert losses == pytest.approx(CLASSIFIER, rel=5e-4)


def test_a_language_model_that_writes():
    """An LSTM whose hidden state is carried on, tied weights, clipping; then samples from it."""

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn = nn.Embedding(40, 16), nn.LSTM(16, 16, 2, dropout=0.2)
            self.decode = nn.Linear(16, 40)
            self.decode.weight = self.embed.weight
            nn.init.uniform_(self.embed.weight, -0.1, 0.1)

        def forward(self, x, state):
            out, state = self.rnn(self.embed(x), state)
            return F.log_softmax(self.decode(out).view(-1, 40), dim=1), state

    model = Model()
    text = torch.randint(0, 40, (100,)).view(4, -1).t().contiguous()
    first = next(model.parameters())
    state, losses = tuple(first.new_zeros(2, 4, 16) for _ in range(2)), []
    for start in range(0, 20, 5):
        x, y = text[start : start + 5], text[start + 1 : start + 6].view(-1)
        state = tuple(s.detach() for s in state)
        model.zero_grad()
        out, state = model(x, state)
        loss = nn.NLLLoss()(out, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.25)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-20)
        losses.append(loss.item())
    model.eval()
    word, state, written = torch.randint(40, (1, 1)), None, []
    with torch.no_grad():
        for _ in range(8):
            out, state = model(word, state)
            word.fill_(torch.multinomial(out.squeeze().exp(), 1)[0])
            written.append(word.item())
    assert losses == pytest.approx(LANGUAGE[0], rel=5e-4)
    assert written == LANGUAGE[1]


def test_a_spatial_transformer():
    """Sampling at whole pixels, where gradients depend on the last bit of a coordinate."""

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.where = nn.Sequential(nn.Conv2d(1, 4, 7), nn.MaxPool2d(2, stride=2), nn.ReLU(True))
            self.turn, self.out = nn.Linear(4 * 11 * 11, 6), nn.Linear(784, 10)
            self.turn.weight.data.zero_()
            self.turn.bias.data.copy_(torch.tensor([1, 0, 0, 0, 1, 0], dtype=torch.float))

        def forward(self, x):
            theta = self.turn(self.where(x).view(-1, 484)).view(-1, 2, 3)
            grid = F.affine_grid(theta, x.size(), align_corners=False)
            return self.out(F.grid_sample(x, grid, align_corners=False).flatten(1))

    model, x, y = Net(), torch.rand(4, 1, 28, 28), torch.randint(0, 10, (4,))
    optimizer, losses = optim.SGD(model.parameters(), lr=0.01), []
    for _ in range(4):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(SPATIAL, rel=5e-4)


def test_translation_with_attention():
    """Two optimizers, one step at a time, the decoder fed its own words in the end."""

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.rnn = nn.Embedding(20, 16), nn.GRU(32, 16, batch_first=True)
            self.query, self.key, self.score = (
                nn.Linear(16, 16),
                nn.Linear(16, 16),
                nn.Linear(16, 1),
            )
            self.out = nn.Linear(16, 20)

        def forward(self, memory, state, target=None):
            word, outs = torch.empty(memory.size(0), 1, dtype=torch.long).fill_(0), []
            for i in range(5):
                hidden = torch.tanh(self.query(state.permute(1, 0, 2)) + self.key(memory))
                weights = F.softmax(self.score(hidden).squeeze(2).unsqueeze(1), dim=-1)
                context = torch.bmm(weights, memory)
                out, state = self.rnn(torch.cat((self.embed(word), context), dim=2), state)
                outs.append(self.out(out))
                if target is not None:
                    word = target[:, i].unsqueeze(1)
                else:
                    word = outs[-1].topk(1)[1].squeeze(-1).detach()
            return F.log_softmax(torch.cat(outs, dim=1), dim=-1)

    embed, encoder, decoder = nn.Embedding(20, 16), nn.GRU(16, 16, batch_first=True), Decoder()
    first = optim.Adam([*embed.parameters(), *encoder.parameters()], lr=0.01)
    second = optim.Adam(decoder.parameters(), lr=0.01)
    x, y, losses = torch.randint(0, 20, (3, 7)), torch.randint(0, 20, (3, 5)), []
    for _ in range(4):
        first.zero_grad()
        second.zero_grad()
        out = decoder(*encoder(embed(x)), y)
        loss = nn.NLLLoss()(out.view(-1, out.size(-1)), y.view(-1))
        loss.backward()
        first.step()
        second.step()
        losses.append(loss.item())
    with torch.no_grad():
        words = decoder(*encoder(embed(x))).topk(1)[1].squeeze()
    assert losses == pytest.approx(TRANSLATION[0], rel=5e-4)
    assert words.tolist() == TRANSLATION[1]


def test_a_policy_by_its_returns():
    """Draws from a Categorical, whose log-probabilities are weighted with what follows."""
    policy = nn.Sequential(nn.Linear(4, 16), nn.Dropout(p=0.6), nn.ReLU(), nn.Linear(16, 2))
    optimizer, losses = optim.Adam(policy.parameters(), lr=1e-2), []
    for _ in range(3):
        state, logs, rewards = torch.ones(4), [], []
        for step in range(10):
            chosen = torch.distributions.Categorical(logits=policy(state.unsqueeze(0)))
            action = chosen.sample()
            logs.append(chosen.log_prob(action))
            rewards.append(float(action.item()) + step / 10)
            state = torch.sin(state + action.item())
        returns, total = [], 0.0
        for reward in rewards[::-1]:
            total = reward + 0.9 * total
            returns.insert(0, total)
        returns = torch.tensor(returns)
        returns = (returns - returns.mean()) / (returns.std() + 1e-8)
        loss = torch.cat([-log * r for log, r in zip(logs, returns, strict=True)]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses == pytest.approx(POLICY, rel=5e-4)


def test_an_image_by_lbfgs():
    """Style by Gram matrices, content by features; the image itself is what is optimized."""
    features = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(inplace=False), nn.Conv2d(8, 8, 3)
    )
    features.eval().requires_grad_(False)

    def gram(x):
        rows = x.view(x.size(0) * x.size(1), -1)
        return torch.mm(rows, rows.t()).div(x.numel())

    content, style = torch.rand(1, 3, 12, 12), torch.rand(1, 3, 12, 12)
    wanted, look = features(content).detach(), gram(features(style)).detach()
    image, losses = content.clone().requires_grad_(True), []
    optimizer = optim.LBFGS([image], max_iter=6)

    def closure():
        with torch.no_grad():
            image.clamp_(0, 1)
        optimizer.zero_grad()
        found = features(image)
        loss = F.mse_loss(found, wanted) + 1e7 * F.mse_loss(gram(found), look)
        loss.backward()
        losses.append(loss.item())
        return loss

    optimizer.step(closure)
    assert losses == pytest.approx(IMAGE, rel=2e-3)


def test_weights_by_hand():
    """Picking by a range, updates under no_grad, a Function of one's own, and no module."""

    class Legendre(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return 0.5 * (5 * x**3 - 3 * x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * 1.5 * (5 * x**2 - 1)

    x, y = torch.randn(32, 8).clamp_(-1, 1), torch.randint(0, 5, (32,))
    w = (torch.randn(8, 5) / math.sqrt(8)).requires_grad_()
    b, losses = torch.zeros(5, requires_grad=True), []
    for i in range(4):
        rows = slice(8 * i, 8 * i + 8)
        out = Legendre.apply(x[rows]) @ w + b
        logs = out - out.exp().sum(-1).log().unsqueeze(-1)
        loss = -logs[range(8), y[rows]].mean()
        loss.backward()
        with torch.no_grad():
            w -= w.grad * 0.5
            b -= b.grad * 0.5
            w.grad.zero_()
            b.grad.zero_()
        losses.append(loss.item())
    assert losses == pytest.approx(BY_HAND, rel=5e-4)


CLASSIFIER = [2.32847, 2.28757, 2.32157, 2.27357, 18.1514, 2]
LANGUAGE = ([3.68201, 3.69654, 4.16145, 3.88962], [10, 36, 4, 26, 36, 4, 9, 26])
SPATIAL = [2.46492, 2.13018, 2.06443, 1.64342]
TRANSLATION = ([2.97613, 2.83508, 2.70046, 2.56687], [[15, 12, 15, 12, 15]] * 3)
POLICY = [-0.955172, 0.860987, 0.431504]
IMAGE = [0.093619, 0.0832905, 0.0174547, 0.00899278, 0.0068623, 0.00485582]
BY_HAND = [1.74822, 1.79038, 2.07986, 1.67516]
