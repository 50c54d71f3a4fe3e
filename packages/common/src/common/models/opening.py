"""Choose a registry by where it is: a folder, an object store, an MLflow server."""

from pathlib import Path
from urllib.parse import urlsplit

from common.models.registry import Registry, RegistryUnavailableError
from common.settings import Settings

MLFLOW_PREFIX = "mlflow+"


def open_registry(location: str, *, cache_dir: Path) -> Registry:
    """Open the registry at `location`; does no I/O yet.

    Accepted are a folder's path, an fsspec URL (`s3://bucket/prefix`, `memory://models`; its
    driver must be installed) and `mlflow+http://host:port`. Fetched files are kept in `cache_dir`.
    """
    if not location:
        raise RegistryUnavailableError("no registry location is set; name a folder or a URL")
    if location.startswith(MLFLOW_PREFIX):
        from common.models.mlflow_rest import MLflowRegistry  # noqa: PLC0415 - only when chosen

        return MLflowRegistry(location.removeprefix(MLFLOW_PREFIX), cache_dir=cache_dir)
    from common.models.stored import StoredRegistry  # noqa: PLC0415 - only when chosen

    scheme = urlsplit(location).scheme
    try:
        return StoredRegistry(location, cache_dir=cache_dir)
    except (ImportError, ValueError) as error:
        raise RegistryUnavailableError(
            f"cannot open the registry {location}: {error}; "
            f"is the fsspec driver for {scheme}:// installed?"
        ) from error


def registry_of(settings: Settings) -> Registry:
    """Open the registry that a service's settings name, with its cache in the data directory."""
    cache = settings.data_dir / "cache" / "models"
    return open_registry(settings.registry_location, cache_dir=cache)
