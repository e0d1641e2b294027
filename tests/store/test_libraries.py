"""Objects of polars, SciPy, scikit-learn and Matplotlib come back as they were; so do pandas' in one another."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import io

import numpy as np
import pandas as pd
import polars as pl
import pytest
import scipy.sparse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import pandas as hpd
from polars.testing import assert_frame_equal, assert_series_equal
from polars.testing.parametric import dataframes
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


class TestPolars:
    FRAME = pl.DataFrame(
        {
            "i": pl.Series([1, None, 3], dtype=pl.Int16),
            "f": [1.5, float("nan"), None],
            "s": ["a", None, "ü"],
            "c": pl.Series(["u", "v", "u"], dtype=pl.Categorical),
            "e": pl.Series(["x", "y", None], dtype=pl.Enum(["y", "x"])),
            "d": [datetime.date(2020, 1, 1), None, datetime.date(2021, 1, 1)],
            "t": pl.Series([datetime.datetime(2020, 1, 1)] * 3).dt.replace_time_zone("Europe/Berlin"),
            "n": [decimal.Decimal("1.10"), None, decimal.Decimal("2.00")],
            "l": [[1], [], None],
            "r": [{"a": 1, "b": "x"}, {"a": None, "b": "y"}, None],
            "b": [b"1", None, b""],
        }
    )

    def test_a_frame_and_its_columns_come_back_as_they_were(self, shelf):
        loaded = shelf.round_trips(frame=self.FRAME, columns=self.FRAME.get_columns(), empty=self.FRAME.clear())
        assert_frame_equal(loaded["frame"], self.FRAME, categorical_as_str=False)
        assert loaded["frame"].schema == loaded["empty"].schema == self.FRAME.schema
        for after, before in zip(loaded["columns"], self.FRAME.get_columns(), strict=True):
            assert_series_equal(after, before)

    @SLOW
    @given(frame=dataframes(max_cols=5, max_size=6, excluded_dtypes=[pl.Categorical]))
    def test_frames_of_all_sorts_come_back_as_they_were(self, shelf, frame):
        assert_frame_equal(shelf.round_trip(frame), frame)

    def test_a_query_comes_back_and_can_be_run(self, shelf):
        query = self.FRAME.lazy().filter(pl.col("i") > 1).select("i", pl.col("f") * 2)
        loaded = shelf.round_trip(query)
        assert type(loaded) is pl.LazyFrame
        assert_frame_equal(loaded.collect(), query.collect())

    def test_a_frame_under_two_names_is_one_frame_and_a_change_is_noticed(self, shelf):
        frame = self.FRAME.clone()
        before = shelf.digest(frame)
        assert shelf.digest(frame) == before
        loaded = shelf.round_trips(frame=frame, held=[frame])
        loaded["frame"].insert_column(0, pl.Series("new", [1, 2, 3]))
        assert loaded["held"][0].columns[0] == "new"
        frame[0, "s"] = "changed"
        assert shelf.digest(frame) != before
        assert_frame_equal(shelf.round_trip(self.FRAME), self.FRAME)


@pytest.mark.parametrize("kind", ["array", "matrix"])
@pytest.mark.parametrize("form", ["csr", "csc", "coo", "bsr", "dia", "lil", "dok"])
def test_sparse_arrays_and_matrices_come_back_apart_from_what_they_were(shelf, kind, form):
    dense = np.zeros((40, 30))
    dense[::3, ::2] = 2.5
    made = getattr(scipy.sparse, f"{form}_{kind}")(dense)
    loaded = shelf.round_trips(one=made, other=[made], copy=made.copy())
    assert type(loaded["one"]) is type(made)
    assert (loaded["one"].dtype, loaded["one"].shape) == (made.dtype, made.shape)
    assert loaded["one"] is loaded["other"][0]
    if form in ("csr", "csc", "bsr", "coo", "dia"):
        loaded["one"].data[...] = 0
        assert loaded["other"][0].toarray().sum() == 0
    np.testing.assert_array_equal(loaded["copy"].toarray(), dense)
    np.testing.assert_array_equal(made.toarray(), dense)


class TestScikitLearn:
    FRAME = pd.DataFrame({"x": np.linspace(0, 1, 60), "k": ["a", "b", "c"] * 20})
    TARGET = (FRAME["x"] > 0.4).astype(int)

    def fitted(self):
        columns = make_column_transformer((StandardScaler(), ["x"]), (OneHotEncoder(), ["k"]))
        return make_pipeline(columns, LogisticRegression()).fit(self.FRAME, self.TARGET)

    @pytest.mark.parametrize("kind", ["pipeline", "search", "boosting"])
    def test_a_fitted_estimator_predicts_the_same_and_can_be_fitted_again(self, shelf, kind):
        features = self.FRAME if kind != "boosting" else self.FRAME[["x"]]
        model = {
            "pipeline": self.fitted,
            "search": lambda: GridSearchCV(clone(self.fitted()), {"logisticregression__C": [0.1, 1]}, cv=2),
            "boosting": lambda: HistGradientBoostingClassifier(max_iter=3, random_state=0),
        }[kind]().fit(features, self.TARGET)
        loaded = shelf.round_trip(model)
        assert type(loaded) is type(model)
        assert str(loaded.get_params()) == str(model.get_params())
        np.testing.assert_array_equal(loaded.predict_proba(features), model.predict_proba(features))
        loaded.fit(features, 1 - self.TARGET)
        assert not (loaded.predict(features) == model.predict(features)).all()

    def test_an_estimator_is_one_object_under_its_own_name_and_in_a_pipeline(self, shelf):
        model = self.fitted()
        loaded = shelf.round_trips(model=model, last=model[-1], weights=model[-1].coef_, row=model[-1].coef_[0])
        assert loaded["model"][-1] is loaded["last"]
        assert loaded["weights"] is loaded["last"].coef_
        loaded["row"][:] = 0
        loaded["last"].intercept_[:] = -1
        assert loaded["model"].predict(self.FRAME).sum() == 0


class TestMatplotlib:
    @pytest.fixture
    def pyplot(self):
        import matplotlib as mpl

        with mpl.rc_context():
            mpl.use("agg")
            import matplotlib.pyplot as plt

            yield plt
            plt.close("all")

    def drawn(self, figure):
        stream = io.BytesIO()
        figure.savefig(stream, format="rgba")
        return stream.getvalue()

    def test_a_figure_can_be_drawn_further_and_its_axes_belong_to_it(self, shelf, pyplot):
        figure, axes = pyplot.subplots(1, 2, num=3)
        (line,) = axes[0].plot([1, 2, 3], label="line")
        image = axes[1].imshow(np.arange(12.0).reshape(3, 4))
        figure.colorbar(image)
        loaded = shelf.round_trips(figure=figure, axes=axes, line=line, first=axes[0])
        assert loaded["first"] is loaded["axes"][0] is loaded["figure"].axes[0]
        assert loaded["line"] is loaded["first"].lines[0]
        assert self.drawn(loaded["figure"]) == self.drawn(figure)
        for drawing in ({"axes": axes, "line": line}, loaded):
            drawing["line"].set_color("red")
            drawing["axes"][1].set_title("further")
        assert self.drawn(loaded["figure"]) == self.drawn(figure)

    def test_a_closed_figure_is_not_open_after_loading(self, shelf, pyplot):
        """As in a notebook, where each cell shows and closes its figures: pyplot must not show them once more."""
        figure, _ = pyplot.subplots()
        pyplot.close(figure)
        shelf.round_trip(figure)
        assert pyplot.get_fignums() == []


def test_frames_in_cells_and_lists_in_columns_stay_what_other_names_hold(shelf):
    inner, items = pd.DataFrame({"x": [1, 2]}), [1, {"k": 2}]
    outer = pd.DataFrame({"frame": [inner, None], "items": [items, "text"]})
    loaded = shelf.round_trips(outer=outer, inner=inner, items=items, again=[outer, outer])
    assert loaded["outer"].loc[0, "frame"] is loaded["inner"]
    assert loaded["outer"].loc[0, "items"] is loaded["items"]
    assert loaded["again"][0] is loaded["again"][1] is loaded["outer"]
    loaded["inner"].loc[0, "x"] = 9
    loaded["items"].append(3)
    assert loaded["again"][0].loc[0, "frame"].loc[0, "x"] == 9
    assert outer.loc[0, "items"] == [1, {"k": 2}]


PANDAS = {
    "index of three levels": lambda: pd.MultiIndex.from_product(
        [pd.date_range("2020", periods=2, tz="Europe/Berlin"), pd.Categorical(["a", "b"]), [1.5, None]],
        names=["t", None, ("c", 1)],
    ),
    "periods": lambda: pd.period_range("2020", periods=3, freq="Q", name="q"),
    "intervals": lambda: pd.arrays.IntervalArray.from_breaks([0.0, 1.0, 2.5], closed="both"),
    "sparse": lambda: pd.arrays.SparseArray([0, 0, 1.5], fill_value=0),
    "cut": lambda: pd.cut(pd.Series([1, 5, 9]), 3),
    "offset": lambda: pd.offsets.BusinessDay(3),
    "timestamp": lambda: pd.Timestamp("2020-01-01 12:00", tz="UTC"),
    "timedelta": lambda: pd.Timedelta("1 days 2 hours"),
    "missing": lambda: [pd.NA, pd.NaT, np.nan],
    "grouping": lambda: pd.DataFrame({"k": [1, 1, 2], "v": [1, 2, 3]}).groupby("k").mean(),
    "pivoted": lambda: pd.DataFrame({"a": [1, 1], "b": ["x", "y"], "c": [3, 4]}).pivot(index="a", columns="b"),
    "stacked": lambda: pd.DataFrame({"a": [1, 2], "b": [3, 4]}).stack(),
    "tabulated": lambda: pd.crosstab(pd.Series(["a", "b", "a"], name="r"), pd.Series([1, 1, 2], name="c")),
}


@pytest.mark.parametrize("make", PANDAS.values(), ids=PANDAS)
def test_what_pandas_makes_comes_back_as_it_was(shelf, make):
    value = make()
    loaded = shelf.round_trip(value)
    assert type(loaded) is type(value)
    assert repr(loaded) == repr(value)
    if isinstance(value, pd.Index):
        assert loaded.identical(value)
    elif isinstance(value, list):
        assert all(after is before for after, before in zip(loaded, value, strict=True) if before is not np.nan)
    elif isinstance(value, (pd.Series, pd.DataFrame)):
        assert loaded.equals(value)
    elif hasattr(value, "dtype"):
        assert loaded.dtype == value.dtype
    else:
        assert loaded == value


@SLOW
@given(
    frame=hpd.data_frames(
        [
            hpd.column("i", dtype="int32"),
            hpd.column("f", dtype=float),
            hpd.column("t", dtype="datetime64[ns]"),
            hpd.column("o", elements=st.one_of(st.none(), st.text(max_size=2), st.integers(-2, 2)), dtype=object),
        ],
        index=hpd.range_indexes(max_size=6) | hpd.indexes(dtype=float, max_size=6),
    )
)
def test_frames_of_mixed_columns_come_back_and_stay_apart_from_what_they_were(shelf, frame):
    before = frame.copy(deep=True)
    loaded = shelf.round_trip(frame)
    pd.testing.assert_frame_equal(loaded, before, check_exact=True)
    if len(loaded):
        loaded.iloc[0, 0] = 7
        loaded.iloc[0, 3] = "new"
    pd.testing.assert_frame_equal(frame, before, check_exact=True)


@dataclasses.dataclass(kw_only=True, frozen=True, slots=True)
class Settings:
    rate: float
    tags: list = dataclasses.field(default_factory=list, compare=False)


@dataclasses.dataclass(order=True)
class Trial:
    settings: Settings
    scores: np.ndarray = dataclasses.field(repr=False)


def test_dataclasses_of_all_sorts_share_what_they_shared(shelf):
    scores = np.arange(10.0)
    trial = Trial(Settings(rate=0.5), scores)
    again = dataclasses.replace(trial, scores=scores[5:])
    loaded = shelf.round_trips(trial=trial, again=again, tags=trial.settings.tags)
    assert loaded["trial"].settings == trial.settings
    assert repr(loaded["trial"]) == repr(trial)
    assert loaded["again"].settings is loaded["trial"].settings
    loaded["tags"].append("x")
    loaded["trial"].scores[7] = -1
    assert loaded["again"].settings.tags == ["x"]
    assert loaded["again"].scores[2] == -1
    with pytest.raises(dataclasses.FrozenInstanceError):
        loaded["trial"].settings.rate = 1
