"""pacsmeter: analytics and quality assurance for picture archives."""

__version__ = "0.1.0"
