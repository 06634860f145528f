"""Errors that keep the service from starting; their messages are for its operator."""


class ConfigurationError(Exception):
    """A setting has a value that the service cannot start with. `setting` is the field of
    `Settings`; the text is `STUFF_SETTING: detail`, for operators."""

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"STUFF_{setting.upper()}: {detail}")
        self.setting = setting
        self.detail = detail


class EngineError(Exception):
    """The embedded engine cannot be started; the message says what to do."""


def how_to_install(extra: str) -> str:
    """How operators install an optional extra. They name the checkout, not the distribution: the
    index may have a package of that name by somebody else."""
    return f"Install the extra {extra!r} from the checkout: pip install '.[{extra}]'."
