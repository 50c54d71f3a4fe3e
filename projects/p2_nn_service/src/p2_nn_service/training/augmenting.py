"""Changes to a batch that keep its labels, on whole tensors: thousands of images a millisecond.

Inputs are normalised, so 0 is the mean of the training part; what comes in at an edge is 0 unless
said otherwise. Every function takes a generator and draws all of its chance from it.
"""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn import functional

from p2_nn_service.errors import RecipeError

Augmentation = Callable[[Tensor, Generator], Tensor]
_MAX_SHIFT = 1 / 14
_MAX_TURN = math.radians(12)
_NOISE = 0.1


def flip(x: Tensor, chance: Generator) -> Tensor:
    """Mirror each image left to right, or not: (n, c, h, w)."""
    is_flipped = torch.rand(len(x), generator=chance) < 0.5
    return torch.where(is_flipped.to(x.device)[:, None, None, None], x.flip(-1), x)


def shift(x: Tensor, chance: Generator) -> Tensor:
    """Move each example by up to a fourteenth of each side; its edge is repeated."""
    sides = range(2, x.dim())
    for side in sides:
        size = x.shape[side]
        most = max(1, round(size * _MAX_SHIFT))
        by = torch.randint(-most, most + 1, (len(x),), generator=chance).to(x.device)
        places = (torch.arange(size, device=x.device) - by[:, None]).clamp_(0, size - 1)
        view = [len(x), *[size if one == side else 1 for one in range(1, x.dim())]]
        shape = [-1, *x.shape[1:]]
        x = x.gather(side, places.view(view).expand(shape))
    return x


def rotate(x: Tensor, chance: Generator) -> Tensor:
    """Turn each image by up to 12 degrees about its middle: (n, c, h, w)."""
    turn = (2 * torch.rand(len(x), generator=chance) - 1) * _MAX_TURN
    cosine, sine, none = turn.cos(), turn.sin(), torch.zeros(len(x))
    maps = torch.stack([cosine, -sine, none, sine, cosine, none], 1).view(-1, 2, 3)
    grid = functional.affine_grid(maps.to(x), list(x.shape), align_corners=False)
    return functional.grid_sample(x, grid, padding_mode="border", align_corners=False)


def cutout(x: Tensor, chance: Generator) -> Tensor:
    """Blank a part of a quarter of each side, DeVries and Taylor (2017)."""
    is_blank = torch.ones(len(x), *[1] * (x.dim() - 1), dtype=torch.bool)
    for side in range(2, x.dim()):
        size = x.shape[side]
        length = max(1, size // 4)
        first = torch.randint(0, size - length + 1, (len(x), 1), generator=chance)
        places = torch.arange(size)
        inside = (places >= first) & (places < first + length)  # (n, size)
        is_blank = is_blank & inside.view(
            len(x), *[size if k == side else 1 for k in range(1, x.dim())]
        )
    return x.masked_fill(is_blank.to(x.device), 0.0)


def noise(x: Tensor, chance: Generator) -> Tensor:
    """Add a tenth of a standard deviation of Gaussian noise."""
    return x + _NOISE * torch.randn(x.shape, generator=chance).to(x)


_FOR_ALL: dict[str, Augmentation] = {"shift": shift, "cutout": cutout, "noise": noise}
_FOR_IMAGES: dict[str, Augmentation] = {"flip": flip, "rotate": rotate}


def find_augmentations(names: tuple[str, ...], *, is_images: bool) -> list[Augmentation]:
    """Return them in the order named; `RecipeError` for one that such examples do not have."""
    known = _FOR_ALL | (_FOR_IMAGES if is_images else {})
    for name in names:
        if name not in known:
            kind = "images" if is_images else "series"
            raise RecipeError(f"augment names {name!r}; {kind} have {', '.join(known)}")
    return [known[name] for name in names]
