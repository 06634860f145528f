"""The type of the ids of a collection, as its server says."""

import httpx

from service.client.http import checked
from service.documents.ids import TEXT, TYPES, Ids

COLLECTIONS = "/collections.json"


class IdsOf:
    """Asks the server once, when the type is needed."""

    def __init__(self, client: httpx.AsyncClient, collection: str) -> None:
        self._client = client
        self._collection = collection
        self._ids: Ids | None = None

    async def get(self) -> Ids:
        """The type; text if the server is too old to say. Raises `ServerUnavailable`,
        `RequestRefused`, and `httpx.TransportError`."""
        if self._ids is None:
            response = await self._client.get(COLLECTIONS)
            listed = []
            if response.status_code != 404:
                listed = checked(response, "application/json").json()
            names = {each["name"]: each.get("id", TEXT.name) for each in listed}
            self._ids = TYPES[names.get(self._collection, TEXT.name)]
        return self._ids
