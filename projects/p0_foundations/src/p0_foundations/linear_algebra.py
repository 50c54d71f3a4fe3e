"""Vectors and matrices by what they do: project, fit, stretch, compress, and lose digits.

Small pure functions over NumPy's decompositions. Knows no picture: `linear_pictures.py` draws what
is computed here. Read next: `probability.py`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from p0_foundations.autodiff import Floats
from p0_foundations.errors import NumbersError, ShapeError


@dataclass(frozen=True)
class Projection:
    """The nearest point of a subspace, its coordinates there, and what is left over.

    `residual` stands at a right angle to the subspace: that is what makes `point` nearest.
    """

    point: Floats
    coordinates: Floats
    residual: Floats


def project(vector: ArrayLike, onto: ArrayLike) -> Projection:
    """Project a vector (d,) on a line (d,) or on the span of the columns of a matrix (d, k)."""
    b = np.asarray(vector, dtype=np.float64)
    columns = np.asarray(onto, dtype=np.float64)
    basis = columns[:, None] if columns.ndim == 1 else columns
    coordinates = least_squares_by_qr(basis, b)
    point = basis @ coordinates
    return Projection(point, coordinates, b - point)


def least_squares_by_normal_equations(A: ArrayLike, b: ArrayLike) -> Floats:
    """Solve AᵀA x = Aᵀb by Cholesky: least work, but the error grows with the condition squared.

    A is (n, k), b (n,). Golub and Van Loan, "Matrix Computations" (2013), algorithm 5.3.1.
    """
    matrix, target = _system(A, b)
    try:
        lower = np.linalg.cholesky(matrix.T @ matrix)
    except np.linalg.LinAlgError:
        raise _dependent(matrix) from None
    return _solved(lower.T, _solved(lower, matrix.T @ target))


def least_squares_by_qr(A: ArrayLike, b: ArrayLike) -> Floats:
    """Solve R x = Qᵀb, A = QR: twice the work, the error grows with the condition.

    The usual choice. Golub and Van Loan, algorithm 5.3.2.
    """
    matrix, target = _system(A, b)
    q, r = np.linalg.qr(matrix)
    sizes = np.abs(np.diag(r))
    if sizes.min() <= np.finfo(np.float64).eps * max(matrix.shape) * sizes.max():
        raise _dependent(matrix)
    return _solved(r, q.T @ target)


def least_squares_by_svd(A: ArrayLike, b: ArrayLike) -> Floats:
    """Return the shortest of all least-squares solutions, x = V Σ⁺ Uᵀ b; takes dependent columns.

    Singular values below rounding error count as 0. Golub and Van Loan, section 5.5.
    """
    matrix, target = _system(A, b, may_be_wide=True)
    u, sizes, vt = np.linalg.svd(matrix, full_matrices=False)
    is_kept = sizes > np.finfo(np.float64).eps * max(matrix.shape) * sizes[0]
    return vt[is_kept].T @ ((u[:, is_kept].T @ target) / sizes[is_kept])


LEAST_SQUARES: dict[str, Callable[[ArrayLike, ArrayLike], Floats]] = {
    "normal equations": least_squares_by_normal_equations,
    "QR": least_squares_by_qr,
    "SVD": least_squares_by_svd,
}


def condition_number(A: ArrayLike) -> float:
    """Return the largest over the smallest stretch of a matrix; infinite if it flattens.

    A relative error in b can come back this many times larger in the solution of A x = b.
    """
    sizes = np.linalg.svd(_matrix(A), compute_uv=False)
    return float(sizes[0] / sizes[-1]) if sizes[-1] > 0 else np.inf


@dataclass(frozen=True)
class Conditioning:
    """How far each way of least squares is off (relative), by the condition of its matrix.

    NaN where a way refused the matrix.
    """

    conditions: Floats
    errors: dict[str, Floats]


def compare_conditioning(
    conditions: ArrayLike, *, n_rows: int = 40, n_columns: int = 8, seed: int = 0
) -> Conditioning:
    """Solve systems whose answer is known, of given conditions, in each of the three ways."""
    rng = np.random.default_rng(seed)
    wanted = np.asarray(conditions, dtype=np.float64)
    errors = {name: np.full(len(wanted), np.nan) for name in LEAST_SQUARES}
    for k, condition in enumerate(wanted):
        u, _ = np.linalg.qr(rng.normal(size=(n_rows, n_columns)))
        v, _ = np.linalg.qr(rng.normal(size=(n_columns, n_columns)))
        matrix = u * np.geomspace(1.0, 1.0 / condition, n_columns) @ v.T
        answer = rng.normal(size=n_columns)
        for name, solve in LEAST_SQUARES.items():
            try:
                found = solve(matrix, matrix @ answer)
            except NumbersError:
                continue
            errors[name][k] = np.linalg.norm(found - answer) / np.linalg.norm(answer)
    return Conditioning(wanted, errors)


@dataclass(frozen=True)
class Components:
    """Directions in which rows vary most, the strongest first.

    `mean` (d,), `directions` (k, d) at right angles and of length 1, `variances` (k,), `shares`
    (k,) of the whole variance.
    """

    mean: Floats
    directions: Floats
    variances: Floats
    shares: Floats

    def scores(self, rows: ArrayLike) -> Floats:
        """Return the coordinates (n, k) of rows along the directions."""
        return (np.asarray(rows, dtype=np.float64) - self.mean) @ self.directions.T

    def rebuild(self, scores: ArrayLike) -> Floats:
        """Return rows (n, d) from coordinates; what the other directions held is lost."""
        return np.asarray(scores, dtype=np.float64) @ self.directions + self.mean


def principal_components(rows: ArrayLike, k: int) -> Components:
    """Find the k strongest directions of rows (n, d) by SVD, without forming a covariance matrix.

    The sign of a direction is free: here its largest entry is positive. Jolliffe, "Principal
    Component Analysis" (2002), section 3.5.
    """
    matrix = _matrix(rows)
    n, d = matrix.shape
    if n < 2 or not 1 <= k <= min(n, d):
        raise NumbersError(f"{k} components of rows {matrix.shape}; accepted: 1 to {min(n, d)}")
    mean = matrix.mean(axis=0)
    _, sizes, directions = np.linalg.svd(matrix - mean, full_matrices=False)
    largest = np.abs(directions).argmax(axis=1)
    signs = np.sign(directions[np.arange(len(directions)), largest])
    variances = sizes**2 / (n - 1)
    total = float(variances.sum()) or 1.0
    return Components(mean, (directions * signs[:, None])[:k], variances[:k], variances[:k] / total)


def _matrix(A: ArrayLike) -> Floats:
    matrix = np.asarray(A, dtype=np.float64)
    if matrix.ndim != 2 or not matrix.size:
        raise ShapeError(
            f"a matrix has two axes and at least one element, not shape {matrix.shape}"
        )
    if not np.isfinite(matrix).all():
        raise NumbersError("a matrix of finite numbers is accepted; drop or fill what is missing")
    return matrix


def _system(A: ArrayLike, b: ArrayLike, *, may_be_wide: bool = False) -> tuple[Floats, Floats]:
    matrix, target = _matrix(A), np.asarray(b, dtype=np.float64)
    if target.shape != matrix.shape[:1]:
        raise ShapeError(f"A {matrix.shape}, b {target.shape}: b has one number for each row of A")
    if matrix.shape[0] < matrix.shape[1] and not may_be_wide:
        raise NumbersError(
            f"A {matrix.shape} has fewer rows than columns: many solutions; use the SVD"
        )
    return matrix, target


def _solved(square: ArrayLike, target: ArrayLike) -> Floats:
    return np.asarray(np.linalg.solve(np.asarray(square), np.asarray(target)), dtype=np.float64)


def _dependent(matrix: Floats) -> NumbersError:
    return NumbersError(
        f"the columns are as good as dependent (condition {condition_number(matrix):.2g}): "
        "drop one, or use the SVD"
    )
