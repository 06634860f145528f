"""What is known of a command."""

from dataclasses import dataclass

from tests.support.database.fields import Fields

MANUAL = "https://www.mongodb.com/docs/manual/reference/command"


@dataclass(frozen=True)
class Command:
    """What a command may say beside the fields that every command may have."""

    page: str
    """Of the manual, below `MANUAL`."""
    fields: Fields
    required: frozenset[str] = frozenset()
    takes_read_concern: bool = False
    takes_write_concern: bool = False
    in_transactions: bool = False
    retryable: bool = False
    """Whether it may carry `txnNumber` outside of a transaction."""
    admin_only: bool = False

    @property
    def url(self) -> str:
        return f"{MANUAL}/{self.page}/"


def command(page: str, *required: str, fields: Fields, **facts: bool) -> Command:
    return Command(page, fields, frozenset(required), **facts)
