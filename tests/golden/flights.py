"""Will a New York flight be late?

Made from flights.ipynb by `stagebook export python`: a function for each stage, called
by `main` in the notebook's order. Edit the notebook and export it again, or go on from
here by hand.

Paths are relative to the notebook's folder: run `python FOLDER/flights.py` there.

What `stagebook run` does beyond this:

- linear: ends it after 300 seconds
- boosting: tries 1 more time if it fails
- boosting: ends it after 300 seconds
- choose: registers the model `best_model`
- choose: ends the run unless best_auc >= 0.7 and best_auc >= champion.best_auc - 0.002
"""

import argparse

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


def split(trips, categories, quantities, *, late_after, hold_out, test_share, seed):
    """Split.

    Stage `split`, cell 9 of the notebook.
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
    return X_train, X_test, y_train, y_test, late_share


def linear(categories, quantities, X_train, y_train):
    """Two models, side by side.

    Stage `linear`, cell 11 of the notebook.
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


def boosting(categories, quantities, X_train, y_train, *, depth, learning_rate, seed):
    """Two models, side by side.

    Stage `boosting`, cell 12 of the notebook.
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
    """
    best_name = "boosting" if auc_boosting > auc_linear else "linear"
    best_model = {"linear": linear_model, "boosting": boosting_model}[best_name]
    best_auc = max(auc_linear, auc_boosting)
    print(f"{best_name}, with an AUC of {best_auc:.3f}")
    return best_name, best_model, best_auc


def main(
    *,
    late_after: int = 15,
    hold_out: str = "days",
    test_share: float = 0.25,
    depth: int = 6,
    learning_rate: float = 0.03,
    seed: int = 13,
) -> dict:
    """Run all stages.

    Args:
        late_after: minutes behind schedule after which an arrival counts as late
        hold_out: what is kept for testing: whole "days", the "end" of the year or single "flights"
        test_share: how much of it is kept, from 0 to 1
        depth: how many questions in a row one tree may ask
        learning_rate: how far each tree moves the answer
        seed: where everything random starts

    Returns:
        The metrics, by name.
    """
    metrics = {}
    flights, weather, planes = load()
    trips, categories, quantities = features(flights, weather, planes)
    X_train, X_test, y_train, y_test, late_share = split(
        trips,
        categories,
        quantities,
        late_after=late_after,
        hold_out=hold_out,
        test_share=test_share,
        seed=seed,
    )
    metrics["late_share"] = late_share
    linear_model = linear(categories, quantities, X_train, y_train)
    boosting_model = boosting(
        categories,
        quantities,
        X_train,
        y_train,
        depth=depth,
        learning_rate=learning_rate,
        seed=seed,
    )
    auc_linear, auc_boosting, scores_linear, scores_boosting = evaluate(
        X_test,
        y_test,
        late_share,
        linear_model,
        boosting_model,
    )
    metrics["auc_linear"] = auc_linear
    metrics["auc_boosting"] = auc_boosting
    metrics["scores_linear"] = scores_linear
    metrics["scores_boosting"] = scores_boosting
    best_name, best_model, best_auc = choose(
        linear_model,
        boosting_model,
        auc_linear,
        auc_boosting,
    )
    metrics["best_auc"] = best_auc
    return metrics


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Will a New York flight be late?",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--late-after",
        type=int,
        help="minutes behind schedule after which an arrival counts as late [15]",
    )
    parser.add_argument(
        "--hold-out",
        help='what is kept for testing: whole "days", the "end" of the year or single "flights" ["days"]',
    )
    parser.add_argument(
        "--test-share",
        type=float,
        help="how much of it is kept, from 0 to 1 [0.25]",
    )
    parser.add_argument(
        "--depth",
        type=int,
        help="how many questions in a row one tree may ask [6]",
    )
    parser.add_argument(
        "--learning-rate",
        type=float,
        help="how far each tree moves the answer [0.03]",
    )
    parser.add_argument("--seed", type=int, help="where everything random starts [13]")
    main(**vars(parser.parse_args()))
