"""Why the service does not start."""


class ConfigurationError(Exception):
    """A setting has a value that the service cannot start with. `setting` is the field of
    `Settings`; the text is `STUFF_SETTING: detail`, for operators."""

    def __init__(self, setting: str, detail: str) -> None:
        super().__init__(f"STUFF_{setting.upper()}: {detail}")
        self.setting = setting
        self.detail = detail


class EngineError(Exception):
    """The embedded engine cannot be started; the message says what to do."""
