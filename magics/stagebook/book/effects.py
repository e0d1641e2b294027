"""What well-known methods and functions do to their objects: the tables behind `changes` and `touches`.

A name in no table is unknown, and an unknown call touches all that is handed to it. So a missing line costs a look at
run time; a wrong one costs a right answer. Each table says why its lines are safe.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Result = Literal["fresh", "holds", "part", "copies"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class Effect(NamedTuple):
    """What calling a method known for its effect does.

    Attributes:
        stores: the object may hold the arguments from then on.
        consumes: the arguments are run over, which uses up an iterator.
        deep: what the object holds may change with it (a Pipeline's steps are fitted with it).
        returns: what the result has to do with the object, as in `PURE_METHODS`.
        ambiguous: other common types have a method of this name that changes nothing, but is then called for its
            result (`set.add` and `Series.add`): a change where the result is dropped, a possible one where it is used.
    """

    stores: bool = False
    consumes: bool = False
    deep: bool = False
    returns: Result = "fresh"
    ambiguous: bool = False


_STORES = Effect(stores=True)
_DROPS = Effect()
_TAKES = Effect(returns="part")
_LEARNS = Effect(deep=True, returns="part")

# Methods that exist for what they do to their object.
EFFECT_METHODS: dict[str, Effect] = {
    # list, set, dict, deque, Counter
    "append": Effect(stores=True, ambiguous=True),
    "appendleft": _STORES,
    "extend": Effect(stores=True, consumes=True),
    "extendleft": Effect(stores=True, consumes=True),
    "insert": Effect(stores=True, ambiguous=True),
    "update": Effect(stores=True, consumes=True),
    "intersection_update": Effect(consumes=True),
    "difference_update": Effect(consumes=True),
    "symmetric_difference_update": Effect(stores=True, consumes=True),
    "subtract": Effect(consumes=True, ambiguous=True),
    "add": Effect(stores=True, ambiguous=True),
    "remove": Effect(ambiguous=True),
    "discard": _DROPS,
    "clear": _DROPS,
    "reverse": _DROPS,
    "sort": _DROPS,
    "rotate": Effect(ambiguous=True),
    "pop": _TAKES,
    "popleft": _TAKES,
    "popitem": _TAKES,
    "setdefault": Effect(stores=True, returns="part"),
    "move_to_end": _DROPS,
    "__setitem__": _STORES,
    "__delitem__": _DROPS,
    "__setattr__": _STORES,
    "__delattr__": _DROPS,
    "__iadd__": Effect(stores=True, consumes=True, returns="part"),
    "__next__": _TAKES,
    # files, buffers, queues, hashes
    "write": _DROPS,
    "writelines": Effect(consumes=True),
    "writerow": Effect(deep=True),
    "writerows": Effect(deep=True, consumes=True),
    "truncate": Effect(ambiguous=True),
    "seek": _DROPS,
    "readline": _TAKES,
    "readlines": _TAKES,
    "put_nowait": _STORES,
    "get_nowait": _TAKES,
    "send": Effect(stores=True, returns="part"),
    # arrays
    "fill": Effect(ambiguous=True),
    "itemset": _STORES,
    "setflags": _DROPS,
    "setfield": _DROPS,
    "partition": Effect(ambiguous=True, returns="part"),
    # estimators and networks
    "fit": _LEARNS,
    "partial_fit": _LEARNS,
    "fit_transform": Effect(deep=True, returns="holds"),
    "fit_predict": Effect(deep=True),
    "fit_resample": Effect(deep=True, returns="holds"),
    "warm_start_fit": _LEARNS,
    "set_params": _LEARNS,
    "set_output": _LEARNS,
    "load_state_dict": Effect(deep=True),
    "compile": Effect(deep=True, ambiguous=True),
    "train": Effect(deep=True, returns="part"),
    "zero_grad": Effect(deep=True),
    "backward": Effect(deep=True),
    "step": Effect(deep=True),
    "train_on_batch": Effect(deep=True),
    "learn": Effect(deep=True, returns="part"),
    # random state
    "seed": _DROPS,
    "setstate": _DROPS,
    "set_state": _DROPS,
}

# Methods whose first argument is changed, whatever their object is: `rng.shuffle(order)`, `f.readinto(buffer)`.
CHANGES_ARGUMENT = frozenset({"shuffle", "readinto"})

# The result shares nothing with the object: numbers, texts, paths, or arrays of plain values. Pure for str, bytes,
# Path, Match, numpy, pandas and fitted estimators; a name that another common type has for an effect is left out.
_FRESH = _words(
    """
    all any argmax argmin argsort autocorr corr corrwith count cov describe duplicated equals first_valid_index
    idxmax idxmin info isna isnull item kurt kurtosis last_valid_index mean median memory_usage nunique notna
    notnull prod product quantile sem skew std sum var value_counts between eq ne lt le gt ge to_csv to_excel
    to_feather to_hdf to_html to_json to_latex to_markdown to_parquet to_pickle to_sql to_stata to_string
    to_clipboard tobytes searchsorted nonzero cumsum cumprod cummax cummin ptp trace round rank pct_change
    capitalize casefold center encode decode endswith startswith expandtabs find rfind format format_map rindex
    isalnum isalpha isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper
    ljust lower lstrip rjust rpartition rsplit rstrip split splitlines strip swapcase title translate upper zfill
    removeprefix removesuffix hex bit_length as_integer_ratio is_integer conjugate index strftime isoformat
    timestamp date weekday isoweekday toordinal utcoffset total_seconds timetuple exists is_file is_dir mkdir
    read_text read_bytes write_text write_bytes glob rglob iterdir stat unlink resolve absolute joinpath with_suffix
    with_name relative_to as_posix expanduser samefile touch rmdir is_absolute predict predict_proba
    predict_log_proba decision_function score score_samples staged_predict transform inverse_transform
    get_feature_names_out kneighbors cost_complexity_pruning_path bic aic perplexity isdisjoint issubset issuperset
    hexdigest digest fullmatch search findall finditer groupdict debug warning error critical exception isEnabledFor
    savefig
    """
)

# The result is new, but may hold what the object or the arguments hold: a dict's copy has the same values, a merged
# frame the same objects in its cells.
_HOLDS = _words(
    """
    copy tolist to_list to_dict to_records assign dropna fillna ffill bfill replace rename rename_axis reset_index
    set_index set_axis reindex reindex_like sort_values sort_index drop drop_duplicates merge join combine
    combine_first where mask clip interpolate melt pivot pivot_table stack unstack explode nlargest nsmallest shift
    diff astype infer_objects convert_dtypes isin mul div truediv floordiv mod pow radd rsub rmul rdiv rtruediv dot
    matmul get_dummies add_prefix add_suffix abs union intersection difference symmetric_difference resample groupby
    rolling expanding ewm agg aggregate apply applymap map filter query repeat take compress flatten cumcount ngroup
    max min mode unique factorize asfreq asof between_time at_time tz_convert tz_localize normalize to_period
    to_timestamp to_frame to_series get_params with_columns select most_common elements lookup nth first last
    """
)

# The result may be the object, or a part of it, or a window on its memory.
_PART = _words(
    """
    get items values keys iterrows itertuples to_numpy reshape ravel view squeeze transpose swapaxes diagonal head
    tail xs select_dtypes get_group swaplevel droplevel __getitem__ get_level_values __iter__ iter_rows
    to_flat_index newbyteorder get_booster get_submodule named_parameters parameters state_dict children modules
    named_modules group pipe
    """
)

# Methods that change neither their object nor their arguments, and what their result has to do with them.
PURE_METHODS: dict[str, Result] = {
    **dict.fromkeys(_FRESH, "fresh"),
    **dict.fromkeys(_HOLDS, "holds"),
    **dict.fromkeys(_PART, "part"),
    "deepcopy": "fresh",
}

# Methods of fitted estimators, which may hold functions and objects of the notebook's classes, and call them.
RUNNING_METHODS = _words(
    """
    predict predict_proba predict_log_proba decision_function score score_samples staged_predict transform
    inverse_transform get_feature_names_out kneighbors get_params
    """
)

# Methods that run over their arguments: an iterator among them is used up.
CONSUMING_METHODS = _words(
    "join isin union intersection difference symmetric_difference isdisjoint issubset issuperset fromkeys"
)

# A pandas object draws itself without being changed when its columns are named by keyword; an Axes takes the data as
# positional arguments, and is changed.
DRAWING_METHODS = _words("plot hist bar barh box boxplot kde density area pie scatter hexbin line")

# Methods of loggers and Axes that take what they are given as it is; the object itself may change.
DRAWING_PREFIXES = ("set_", "log_")

# What these give can be run over again and again, and running over it uses nothing up.
DICT_VIEWS = frozenset({"items", "values", "keys"})
SOLID_ATTRIBUTES = _words(
    "columns index values dtypes shape T loc iloc str dt cat name names parts parents classes_ coef_ feature_names_in_"
    " feature_importances_ cv_results_ categories_"
)

# `df.loc[...]` is `df[...]` by another way.
INDEXERS = frozenset({"loc", "iloc", "at", "iat"})

# What a call that is pure otherwise does to an argument given by keyword: `out=` is written to; a drawing goes into
# `ax=`, text into `file=`; a draw moves `rng=` on.
CHANGED_KEYWORDS = frozenset({"out"})
TOUCHED_KEYWORDS = frozenset({"ax", "axes", "file", "buf", "fp", "stream", "rng", "random_state", "memo"})

# Packages whose functions and classes leave their arguments alone, but for the exceptions below. An object that a
# class makes may hold what it is given.
PURE_ROOTS = _words(
    """
    abc argparse array ast base64 bisect builtins bz2 calendar cmath collections colorsys contextlib copy csv
    dataclasses datetime decimal difflib enum fractions functools getpass glob gzip hashlib heapq hmac html inspect
    io itertools json keyword locale logging lzma math mimetypes numbers operator os pathlib pickle platform pprint
    random re secrets shutil statistics string struct sys tempfile textwrap time timeit traceback types typing
    unicodedata urllib uuid warnings weakref zipfile zlib zoneinfo numpy pandas scipy sklearn matplotlib seaborn
    statsmodels joblib mlflow tqdm yaml toml plotly altair cloudpickle xgboost lightgbm catboost pyarrow polars
    IPython typing_extensions
    """
)

# Functions of those packages that change their first argument: they exist for it.
CHANGES_FIRST = _words(
    """
    builtins.setattr builtins.delattr builtins.next random.shuffle numpy.random.shuffle numpy.copyto numpy.put
    numpy.place numpy.putmask numpy.fill_diagonal numpy.put_along_axis heapq.heappush heapq.heappop heapq.heapify
    heapq.heapreplace heapq.heappushpop bisect.insort bisect.insort_left bisect.insort_right operator.setitem
    operator.delitem operator.iadd operator.iand operator.iconcat operator.ifloordiv operator.ilshift
    operator.imatmul operator.imod operator.imul operator.ior operator.ipow operator.irshift operator.isub
    operator.itruediv struct.pack_into functools.update_wrapper
    """
)

# Functions that run over their arguments: an iterator among them is used up, by them or by what they return.
CONSUMING_FUNCTIONS = _words(
    """
    builtins.list builtins.tuple builtins.set builtins.frozenset builtins.dict builtins.sorted builtins.sum
    builtins.min builtins.max builtins.any builtins.all builtins.zip builtins.enumerate builtins.map builtins.filter
    builtins.iter builtins.bytes builtins.bytearray builtins.reversed functools.reduce collections.Counter
    collections.deque collections.OrderedDict collections.defaultdict collections.UserDict collections.UserList
    math.fsum math.prod math.dist math.sumprod csv.reader csv.DictReader heapq.merge heapq.nlargest heapq.nsmallest
    numpy.fromiter numpy.sum numpy.vstack numpy.hstack pandas.DataFrame pandas.Series pandas.Index pandas.concat
    pandas.MultiIndex.from_tuples pandas.MultiIndex.from_arrays pandas.MultiIndex.from_product
    pandas.DataFrame.from_records tqdm.tqdm tqdm.auto.tqdm tqdm.notebook.tqdm array.array os.path.commonprefix
    joblib.Parallel
    """
)
CONSUMING_ROOTS = frozenset({"itertools", "statistics"})

# Functions that take an open file, and where among the arguments it stands: reading and writing move it on.
FILE_ARGUMENT = {
    **dict.fromkeys(_words("load safe_load safe_load_all loadtxt genfromtxt writer DictWriter copyfileobj"), 0),
    **dict.fromkeys(
        _words("read_csv read_excel read_json read_parquet read_pickle read_feather read_table read_fwf"), 0
    ),
    **dict.fromkeys(_words("dump safe_dump"), 1),
}

# Functions whose result may be an argument, a part of one, or a window on the memory of one.
ALIASING = _words(
    """
    builtins.iter builtins.next builtins.getattr builtins.vars builtins.min builtins.max builtins.memoryview
    builtins.super builtins.filter operator.getitem operator.iadd operator.iconcat operator.iand operator.ior
    functools.reduce collections.ChainMap random.choice random.choices random.sample types.MappingProxyType
    contextlib.nullcontext contextlib.closing typing.cast weakref.ref weakref.proxy itertools.chain itertools.tee
    itertools.cycle itertools.islice numpy.asarray numpy.asanyarray numpy.ascontiguousarray numpy.asfortranarray
    numpy.array numpy.ravel numpy.reshape numpy.squeeze numpy.transpose numpy.atleast_1d numpy.atleast_2d
    numpy.atleast_3d numpy.broadcast_to numpy.broadcast_arrays numpy.expand_dims numpy.swapaxes numpy.moveaxis
    numpy.rollaxis numpy.flip numpy.fliplr numpy.flipud numpy.rot90 numpy.split numpy.array_split numpy.hsplit
    numpy.vsplit numpy.dsplit numpy.diag numpy.diagonal numpy.real numpy.imag numpy.nan_to_num numpy.require
    numpy.frombuffer numpy.matrix numpy.asmatrix numpy.ma.array numpy.lib.stride_tricks.as_strided
    numpy.lib.stride_tricks.sliding_window_view numpy.nditer pandas.DataFrame pandas.Series pandas.Index
    pandas.array pandas.Categorical pandas.to_numeric pandas.to_datetime sklearn.utils.check_array
    sklearn.utils.check_X_y sklearn.utils.validation.check_array scipy.sparse.csr_matrix scipy.sparse.csc_matrix
    scipy.sparse.coo_matrix pyarrow.array pyarrow.Table.from_pandas
    """
)

# Functions that return several new objects, each a copy.
COPYING = _words(
    """
    sklearn.model_selection.train_test_split numpy.unique numpy.histogram numpy.meshgrid numpy.nonzero
    numpy.histogram2d numpy.polyfit
    """
)

# Functions that return numbers, texts or the like, or a full copy.
FRESH_FUNCTIONS = _words(
    """
    builtins.print builtins.len builtins.abs builtins.round builtins.repr builtins.str builtins.int builtins.float
    builtins.bool builtins.complex builtins.isinstance builtins.issubclass builtins.id builtins.hash
    builtins.callable builtins.range builtins.ord builtins.chr builtins.format builtins.input builtins.divmod
    builtins.pow builtins.hasattr builtins.dir builtins.bin builtins.hex builtins.oct builtins.ascii builtins.help
    builtins.any builtins.all builtins.bytes builtins.bytearray builtins.display builtins.type copy.deepcopy
    """
)
FRESH_ROOTS = _words("math cmath time datetime hashlib re json textwrap string pprint glob os uuid")
FRESH_PARENTS = frozenset({"sklearn.metrics", "numpy.linalg", "scipy.stats", "os.path"})

# Decorators that give back a function that does what the decorated one does.
TRANSPARENT_DECORATORS = _words(
    """
    builtins.staticmethod builtins.classmethod builtins.property functools.lru_cache functools.cache functools.wraps
    functools.cached_property functools.total_ordering functools.singledispatch contextlib.contextmanager
    contextlib.asynccontextmanager dataclasses.dataclass abc.abstractmethod typing.final typing.overload
    typing.no_type_check numba.njit numba.jit numba.vectorize joblib.delayed dask.delayed prefect.task prefect.flow
    atexit.register
    """
)

# Context managers that may end their block early and let the code go on.
SUPPRESSING = _words("suppress raises assertRaises assertRaisesRegex")

# What `np` means in a notebook whose imports the analysis was not shown.
CONVENTIONAL = {"np": "numpy", "pd": "pandas", "plt": "matplotlib.pyplot", "sns": "seaborn"}

# Standard modules whose star-import is resolved: importing them is cheap and has no effect.
RESOLVED_STARS = _words(
    """
    math cmath itertools functools collections operator random statistics typing dataclasses pathlib datetime time
    os.path string re json decimal fractions enum copy heapq bisect contextlib textwrap glob
    """
)
