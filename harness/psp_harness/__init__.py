"""psp-harness proves that a payment integration cannot charge twice, refund twice, or lose money to a retry."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("psp-harness")
except PackageNotFoundError:  # read from a source tree that is not installed
    __version__ = "0"
