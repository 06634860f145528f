"""The command line: `stuff`."""

import typer

from service.cli import documents, indexes, keys, serving, transfer, watch

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def stuff() -> None:
    """An HTTP JSON document store on MongoDB, and a client of it.

    Every option of `serve` is a setting too, read from the environment: --data-dir is
    STUFF_DATA_DIR. The commands for documents talk to the server at --url, or STUFF_URL, with the
    API key in STUFF_KEY if it needs one.
    """


app.command()(serving.serve)
app.command()(serving.openapi)
app.command()(documents.get)
app.command()(documents.put)
app.command()(documents.delete)
app.command()(documents.ls)
app.command()(watch.watch)
app.command("export")(transfer.export_documents)
app.command("import")(transfer.import_documents)
app.add_typer(indexes.app, name="index")
app.add_typer(keys.app, name="key")


def main() -> None:
    app(prog_name="stuff")
