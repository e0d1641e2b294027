"""Will a New York flight be late?

The stages of flights.ipynb as functions, written by `stagebook export kedro`. Edit the
notebook and export it again, or go on from here by hand.
"""

import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    log_loss,
    roc_auc_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    OneHotEncoder,
    OrdinalEncoder,
    SplineTransformer,
    StandardScaler,
)

pd.set_option("display.max_columns", 20)
pd.set_option("display.precision", 3)


def scores(late: pd.Series, chance: pd.Series) -> dict[str, float]:
    """How good these chances are, knowing who was late; the last two are better when smaller."""
    return {
        "average_precision": float(average_precision_score(late, chance)),
        "brier": float(brier_score_loss(late, chance)),
        "log_loss": float(log_loss(late, chance)),
    }


def load():
    """Load.

    Stage `load`, cell 4 of the notebook.

    Returns:
        `flights`, `weather` and `planes`.
    """
    flights = pd.read_parquet("data/flights.parquet")
    weather = pd.read_parquet("data/weather.parquet").set_index(["origin", "time_hour"])
    planes = pd.read_parquet("data/planes.parquet").set_index("tailnum")
    assert weather.index.is_unique and planes.index.is_unique, "a flight would find two reports, or two aircraft"

    arrived = flights["arr_delay"].notna()
    flights = flights[arrived].reset_index(drop=True)
    print(f"{len(flights):,} flights arrived, {(~arrived).sum():,} were cancelled or diverted")
    return flights, weather, planes


def features(flights, weather, planes):
    """Features.

    Stage `features`, cells 6 and 7 of the notebook. Changes in place: `flights`,
    `weather`.

    Args:
        flights: what `load` makes.
        weather: what `load` makes.
        planes: what `load` makes.

    Returns:
        `trips`, `categories` and `quantities`.
    """
    flights["report_hour"] = flights["time_hour"] - pd.Timedelta(hours=1)
    weather.loc[weather["wind_speed"] > 200, "wind_speed"] = float("nan")  # one report says 1,048 mph

    trips = flights.join(weather, on=["origin", "report_hour"])
    trips = trips.join(planes[["year", "seats"]], on="tailnum")

    local_time = trips["time_hour"].dt.tz_convert("America/New_York")
    trips["month"] = local_time.dt.month
    trips["weekday"] = local_time.dt.day_name()
    trips["day_of_year"] = local_time.dt.dayofyear
    trips["minute_of_day"] = trips["sched_dep_time"] // 100 * 60 + trips["sched_dep_time"] % 100
    trips["plane_age"] = 2013 - trips["year"]
    trips["wind_gust"] = trips["wind_gust"].fillna(trips["wind_speed"])  # no gusts reported: the wind is steady

    categories = ["carrier", "origin", "dest", "month", "weekday"]
    quantities = ["minute_of_day", "distance", "plane_age", "seats", "temp", "dewp", "humid"]
    quantities += ["wind_speed", "wind_gust", "precip", "pressure", "visib"]
    return trips, categories, quantities


def split(trips, categories, quantities, late_after, hold_out, test_share, seed):
    """Split.

    Stage `split`, cell 9 of the notebook.

    Args:
        trips: what `features` makes.
        categories: what `features` makes.
        quantities: what `features` makes.
        late_after: minutes behind schedule after which an arrival counts as late.
        hold_out: what is kept for testing: whole "days", the "end" of the year or
            single "flights".
        test_share: how much of it is kept, from 0 to 1.
        seed: where everything random starts.

    Returns:
        `X_train`, `X_test`, `y_train`, `y_test`, `late_share`, `days` and `held_out`.
    """
    late = (trips["arr_delay"] > late_after).astype(int)
    days = trips["day_of_year"]

    if hold_out == "days":
        held_out = days.isin(days.drop_duplicates().sample(frac=test_share, random_state=seed))
    elif hold_out == "end":
        held_out = days > days.quantile(1 - test_share)
    elif hold_out == "flights":
        held_out = days.index.isin(days.sample(frac=test_share, random_state=seed).index)
    else:
        raise ValueError(f"hold_out is {hold_out!r}. Choose 'days', 'end' or 'flights'.")

    X_train, X_test = trips.loc[~held_out, categories + quantities], trips.loc[held_out, categories + quantities]
    y_train, y_test = late[~held_out], late[held_out]
    late_share = float(y_train.mean())
    print(f"train: {len(y_train):,} flights, {late_share:.1%} late")
    print(f"test: {len(y_test):,} flights, {y_test.mean():.1%} late")
    return X_train, X_test, y_train, y_test, late_share, days, held_out


def linear(categories, quantities, X_train, y_train):
    """Two models, side by side.

    Stage `linear`, cell 11 of the notebook.

    Args:
        categories: what `features` makes.
        quantities: what `features` makes.
        X_train: what `split` makes.
        y_train: what `split` makes.

    Returns:
        `linear_model`.
    """
    curves = make_pipeline(
        SimpleImputer(strategy="median"),
        StandardScaler(),
        SplineTransformer(n_knots=8, extrapolation="linear", sparse_output=True),
    )
    linear_model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(min_frequency=50, handle_unknown="infrequent_if_exist"), categories),
            (curves, quantities),
        ),
        LogisticRegression(C=0.3, max_iter=1000, tol=1e-5),
    )
    linear_model.fit(X_train, y_train)
    print(f"converged after {linear_model[-1].n_iter_[0]} rounds")
    return linear_model


def boosting(categories, quantities, X_train, y_train, depth, learning_rate, seed):
    """Two models, side by side.

    Stage `boosting`, cell 12 of the notebook.

    Args:
        categories: what `features` makes.
        quantities: what `features` makes.
        X_train: what `split` makes.
        y_train: what `split` makes.
        depth: how many questions in a row one tree may ask.
        learning_rate: how far each tree moves the answer.
        seed: where everything random starts.

    Returns:
        `boosting_model`.
    """
    boosting_model = make_pipeline(
        make_column_transformer(
            (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), categories),
            ("passthrough", quantities),
        ),
        HistGradientBoostingClassifier(
            max_iter=400,
            max_depth=depth,
            max_leaf_nodes=63,
            learning_rate=learning_rate,
            min_samples_leaf=200,
            l2_regularization=20,
            max_features=0.3,
            categorical_features=list(range(len(categories))),
            early_stopping=False,
            random_state=seed,
        ),
    )
    boosting_model.fit(X_train, y_train)
    print(f"{boosting_model[-1].n_iter_} trees, at most {depth} deep")
    return boosting_model


def evaluate(X_test, y_test, late_share, linear_model, boosting_model):
    """Evaluate.

    Stage `evaluate`, cell 13 of the notebook.

    Args:
        X_test: what `split` makes.
        y_test: what `split` makes.
        late_share: what `split` makes.
        linear_model: what `linear` makes.
        boosting_model: what `boosting` makes.

    Returns:
        `auc_linear`, `auc_boosting`, `scores_linear` and `scores_boosting`.
    """
    chances = pd.DataFrame(
        {
            "linear": linear_model.predict_proba(X_test)[:, 1],
            "boosting": boosting_model.predict_proba(X_test)[:, 1],
            "base rate": late_share,
        },
        index=X_test.index,
    )
    auc_linear = float(roc_auc_score(y_test, chances["linear"]))
    auc_boosting = float(roc_auc_score(y_test, chances["boosting"]))
    scores_linear = scores(y_test, chances["linear"])
    scores_boosting = scores(y_test, chances["boosting"])
    return auc_linear, auc_boosting, scores_linear, scores_boosting


def choose(linear_model, boosting_model, auc_linear, auc_boosting):
    """Choose.

    Stage `choose`, cell 16 of the notebook.

    Args:
        linear_model: what `linear` makes.
        boosting_model: what `boosting` makes.
        auc_linear: what `evaluate` makes.
        auc_boosting: what `evaluate` makes.

    Returns:
        `best_name`, `best_model` and `best_auc`.
    """
    best_name = "boosting" if auc_boosting > auc_linear else "linear"
    best_model = {"linear": linear_model, "boosting": boosting_model}[best_name]
    best_auc = max(auc_linear, auc_boosting)
    print(f"{best_name}, with an AUC of {best_auc:.3f}")
    return best_name, best_model, best_auc


def _numbers(value):
    """A metric as JSON has it: a number, or numbers by name."""
    if isinstance(value, dict):
        return {str(name): _numbers(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_numbers(one) for one in value]
    return float(value)


def collect_metrics(
    late_share,
    auc_linear,
    auc_boosting,
    scores_linear,
    scores_boosting,
    best_auc,
):
    """Gather the metrics of all stages, by name."""
    return {
        "late_share": _numbers(late_share),
        "auc_linear": _numbers(auc_linear),
        "auc_boosting": _numbers(auc_boosting),
        "scores_linear": _numbers(scores_linear),
        "scores_boosting": _numbers(scores_boosting),
        "best_auc": _numbers(best_auc),
    }
