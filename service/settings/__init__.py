"""The settings of the service: what they are, and which values they may have."""

from service.settings.settings import Settings

__all__ = ["Settings"]
