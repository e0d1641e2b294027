"""The notebooks that commands in the docs are run on."""

FLIGHTS = [
    ("parameters", "depth: int = 6\nlearning_rate = 0.03"),
    ("setup", "import random\nfrom statistics import mean"),
    ("stage:load", "flights = [(hour, random.Random(hour).gauss(hour, 4)) for hour in range(5, 24)]"),
    ("stage:features", "late = [delay > 15 for _, delay in flights]"),
    ("", "%%stage train metrics=auc\nauc = 0.6 + depth / 100"),
    ("", "%%stage evaluate metrics=best_auc\nbest_auc = round(auc - learning_rate / 10 + mean(late) / 100, 3)"),
    ("test:evaluate", "assert 0.5 < best_auc < 0.95"),
]
KALE = [
    ("imports", "import statistics"),
    ("step:load", "delays = [3, 20, 7]"),
    ("step:mean prev:load", "mean = statistics.mean(delays)"),
    ("", "print(mean)"),
]
