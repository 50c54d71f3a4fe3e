"""Phase 0: the foundations lab, as a library: gradients, losses, descent, numbers, tables.

The public names, loaded when first asked for: importing this package loads no NumPy, no pandas.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p0_foundations.autodiff import (
        Tensor,
        absolute,
        concatenate,
        cos,
        exp,
        gradients,
        log,
        log_softmax,
        logsumexp,
        maximum,
        minimum,
        relu,
        sigmoid,
        sin,
        softmax,
        softplus,
        sqrt,
        tanh,
        where,
    )
    from p0_foundations.contracts import (
        Association,
        ColumnDrift,
        ColumnProfile,
        DriftReport,
        Finding,
        Kind,
        Limits,
        Predictor,
        Profile,
    )
    from p0_foundations.datasets import (
        Images,
        Labelled,
        four_quarters,
        load_digits,
        load_images,
        ring_and_core,
        two_clouds,
        two_spirals,
    )
    from p0_foundations.descent import (
        Path,
        Verdict,
        batches,
        hessian,
        largest_stable_step,
        minimise,
        minimise_on_batches,
    )
    from p0_foundations.descent_pictures import (
        contour_picture,
        window_around,
    )
    from p0_foundations.drawing import page_svg
    from p0_foundations.errors import (
        FormulaError,
        FoundationsError,
        GradientError,
        ImagesError,
        NetworkError,
        NumbersError,
        OptimisationError,
        ProfileFormatError,
        SchemaError,
        ShapeError,
        TableError,
        UnknownColumnError,
    )
    from p0_foundations.formulas import (
        Formula,
        parse_formula,
    )
    from p0_foundations.graphs import (
        Graph,
        Node,
        graph,
    )
    from p0_foundations.landscapes import LANDSCAPES, Landscape
    from p0_foundations.line_fits import LineFit, fit_line
    from p0_foundations.linear_algebra import (
        Components,
        Conditioning,
        Projection,
        compare_conditioning,
        condition_number,
        least_squares_by_normal_equations,
        least_squares_by_qr,
        least_squares_by_svd,
        principal_components,
        project,
    )
    from p0_foundations.linear_pictures import (
        conditioning_picture,
        eigen_images_picture,
        fit_picture,
        projection_picture,
        stretch_picture,
    )
    from p0_foundations.losses import (
        LOSSES,
        Loss,
        absolute_error,
        absolute_error_gradient,
        cross_entropy,
        cross_entropy_gradient,
        hinge,
        hinge_gradient,
        huber,
        huber_gradient,
        logistic,
        logistic_gradient,
        squared_error,
        squared_error_gradient,
    )
    from p0_foundations.networks import (
        Frame,
        Network,
        train,
        train_frames,
    )
    from p0_foundations.optimisers import (
        OPTIMISERS,
        Adam,
        GradientDescent,
        Momentum,
        Nesterov,
        Newton,
        Optimiser,
        Place,
        RMSProp,
        WeightDecay,
    )
    from p0_foundations.pictures import (
        Colours,
        Picture,
    )
    from p0_foundations.pieces import Pieces, open_pieces
    from p0_foundations.probability import (
        Belief,
        Bootstrap,
        Distribution,
        Fit,
        SampleMeans,
        bayes,
        benjamini_hochberg,
        binomial,
        bonferroni,
        bootstrap,
        cauchy,
        exponential,
        false_alarm_rates,
        holm,
        maximum_likelihood,
        normal,
        poisson,
        running_means,
        sample_means,
        uniform,
    )
    from p0_foundations.probability_pictures import (
        belief_picture,
        bootstrap_picture,
        central_limit_picture,
        distribution_picture,
        false_alarms_picture,
        large_numbers_picture,
        likelihood_picture,
    )
    from p0_foundations.profiling import profile_frame
    from p0_foundations.reading.decisions import ColumnReading, Reading
    from p0_foundations.reading.schema import (
        ColumnSchema,
        FileSchema,
        TableSchema,
        load_schema,
        parse_schema,
        schema_toml,
    )
    from p0_foundations.tables import Holding, Table, open_table, read_table, type_frame
    from p0_foundations.walks import step_limit

# fmt: off
_ROOMS = {
    "autodiff":
        "Tensor absolute concatenate cos exp gradients log log_softmax logsumexp "
        "maximum minimum relu sigmoid sin softmax softplus sqrt tanh where",
    "contracts":
        "Association ColumnDrift ColumnProfile DriftReport Finding Kind Limits "
        "Predictor Profile",
    "datasets":
        "Images Labelled four_quarters load_digits load_images ring_and_core two_clouds "
        "two_spirals",
    "descent": "Path Verdict batches hessian largest_stable_step minimise minimise_on_batches",
    "descent_pictures": "contour_picture window_around",
    "drawing": "page_svg",
    "errors":
        "FormulaError FoundationsError GradientError ImagesError NetworkError "
        "NumbersError OptimisationError ProfileFormatError SchemaError ShapeError TableError "
        "UnknownColumnError",
    "formulas": "Formula parse_formula",
    "graphs": "Graph Node graph",
    "landscapes": "LANDSCAPES Landscape",
    "line_fits": "LineFit fit_line",
    "linear_algebra":
        "Components Conditioning Projection compare_conditioning condition_number "
        "least_squares_by_normal_equations least_squares_by_qr least_squares_by_svd "
        "principal_components project",
    "linear_pictures":
        "conditioning_picture eigen_images_picture fit_picture projection_picture "
        "stretch_picture",
    "losses":
        "LOSSES Loss absolute_error absolute_error_gradient cross_entropy "
        "cross_entropy_gradient hinge hinge_gradient huber huber_gradient logistic "
        "logistic_gradient squared_error squared_error_gradient",
    "networks": "Frame Network train train_frames",
    "optimisers":
        "Adam GradientDescent Momentum Nesterov Newton OPTIMISERS Optimiser Place "
        "RMSProp WeightDecay",
    "pictures": "Colours Picture",
    "pieces": "Pieces open_pieces",
    "probability":
        "Belief Bootstrap Distribution Fit SampleMeans bayes benjamini_hochberg "
        "binomial bonferroni bootstrap cauchy exponential false_alarm_rates holm "
        "maximum_likelihood normal poisson running_means sample_means uniform",
    "probability_pictures":
        "belief_picture bootstrap_picture central_limit_picture distribution_picture "
        "false_alarms_picture large_numbers_picture likelihood_picture",
    "profiling": "profile_frame",
    "reading.decisions": "ColumnReading Reading",
    "reading.schema": "ColumnSchema FileSchema TableSchema load_schema parse_schema schema_toml",
    "tables": "Holding Table open_table read_table type_frame",
    "walks": "step_limit",
}
"""The names behind each module's door."""
_HOMES = {name: room for room, names in _ROOMS.items() for name in names.split()}

__all__ = [
    "LANDSCAPES", "LOSSES", "OPTIMISERS", "Adam", "Association", "Belief", "Bootstrap", "Colours",
    "ColumnDrift", "ColumnProfile", "ColumnReading", "ColumnSchema", "Components", "Conditioning",
    "Distribution", "DriftReport", "FileSchema", "Finding", "Fit", "Formula", "FormulaError",
    "FoundationsError", "Frame", "GradientDescent", "GradientError", "Graph", "Holding", "Images",
    "ImagesError", "Kind", "Labelled", "Landscape", "Limits", "LineFit", "Loss", "Momentum",
    "Nesterov", "Network", "NetworkError", "Newton", "Node", "NumbersError", "OptimisationError",
    "Optimiser", "Path", "Picture", "Pieces", "Place", "Predictor", "Profile", "ProfileFormatError",
    "Projection", "RMSProp", "Reading", "SampleMeans", "SchemaError", "ShapeError", "Table",
    "TableError", "TableSchema", "Tensor", "UnknownColumnError", "Verdict", "WeightDecay",
    "absolute", "absolute_error", "absolute_error_gradient", "batches", "bayes", "belief_picture",
    "benjamini_hochberg", "binomial", "bonferroni", "bootstrap", "bootstrap_picture", "cauchy",
    "central_limit_picture", "compare_conditioning", "concatenate", "condition_number",
    "conditioning_picture", "contour_picture", "cos", "cross_entropy", "cross_entropy_gradient",
    "distribution_picture", "eigen_images_picture", "exp", "exponential", "false_alarm_rates",
    "false_alarms_picture", "fit_line", "fit_picture", "four_quarters", "gradients", "graph",
    "hessian", "hinge", "hinge_gradient", "holm", "huber", "huber_gradient",
    "large_numbers_picture", "largest_stable_step", "least_squares_by_normal_equations",
    "least_squares_by_qr", "least_squares_by_svd", "likelihood_picture", "load_digits",
    "load_images", "load_schema", "log", "log_softmax", "logistic", "logistic_gradient",
    "logsumexp", "maximum", "maximum_likelihood", "minimise", "minimise_on_batches", "minimum",
    "normal", "open_pieces", "open_table", "page_svg", "parse_formula", "parse_schema", "poisson",
    "principal_components", "profile_frame", "project", "projection_picture", "read_table", "relu",
    "ring_and_core", "running_means", "sample_means", "schema_toml", "sigmoid", "sin", "softmax",
    "softplus", "sqrt", "squared_error", "squared_error_gradient", "step_limit", "stretch_picture",
    "tanh", "train", "train_frames", "two_clouds", "two_spirals", "type_frame", "uniform", "where",
    "window_around",
]
# fmt: on


def __getattr__(name: str) -> object:
    """Load a public name when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'p0_foundations' has no attribute {name!r}")
    return getattr(import_module(f"p0_foundations.{_HOMES[name]}"), name)
