import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import stuff.ApiClient;
import stuff.ApiException;
import stuff.api.DocumentsApi;
import stuff.model.DocumentPage;
import stuff.model.Problem;

/** The stories, by the client of openapi-generator. */
public class Story {
    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(System.getenv("STUFF_URL"));
        String key = "Bearer " + System.getenv("STUFF_KEY");
        client.setRequestInterceptor(request -> request.header("Authorization", key));
        DocumentsApi documents = new DocumentsApi(client);

        var created = documents.createDocumentWithHttpInfo(Map.of("name", "Ada", "born", 1815), null, null);
        check(created.getStatusCode() == 201, "create");
        String id = (String) created.getData().get("_id");
        String etag = created.getHeaders().get("etag").get(0);

        Map<String, Object> got = get(documents, id);
        check(got.equals(Map.of("_id", id, "name", "Ada", "born", 1815)), got.toString());

        var replaced = documents.putDocumentWithHttpInfo(
            id, Map.of("name", "Ada Lovelace"), etag, null, null, null);
        check(replaced.getStatusCode() == 200, "replace");

        try {
            documents.putDocument(id, Map.of("name", "?"), etag, null, null, null);
            check(false, "a late replacement");
        } catch (ApiException failure) {
            check(failure.getCode() == 412, "another status");
            ObjectMapper mapper = client.getObjectMapper();
            Problem problem = mapper.readValue(failure.getResponseBody(), Problem.class);
            check(problem.getType().equals("/problems/precondition-failed"), problem.toString());
            Object now = problem.getEtag();
            check(replaced.getHeaders().get("etag").get(0).equals(now), problem.toString());
        }

        Map<String, Object> patched = documents.patchDocument(id, Map.of("died", 1852), null, null, null, null, null, null);
        Map<String, Object> expected = Map.of("_id", id, "name", "Ada Lovelace", "died", 1852);
        check(patched.equals(expected), patched.toString());

        List<String> ids = new ArrayList<>(List.of(id));
        for (int number = 0; number < 5; number++) {
            ids.add("p/" + number);
            documents.putDocument("p/" + number, Map.of("page", number), null, null, null, null);
        }
        List<Object> numbers = new ArrayList<>();
        String after = null;
        do {
            String filter = "{\"page\": {\"$gte\": 0}}";
            DocumentPage page = documents.getDocuments(
                2, null, null, null, after, filter, null, null, null);
            page.getItems().forEach(item -> numbers.add(item.get("page")));
            after = page.getNext();
        } while (after != null);
        check(numbers.equals(List.of(0, 1, 2, 3, 4)), numbers.toString());

        for (String each : ids) {
            var deleted = documents.deleteDocumentWithHttpInfo(each, null, null, null);
            check(deleted.getStatusCode() == 204, "delete");
        }
        try {
            get(documents, id);
            check(false, "it is still there");
        } catch (ApiException failure) {
            check(failure.getCode() == 404, "another status");
        }

        Books.tell(client);
    }

    private static Map<String, Object> get(DocumentsApi documents, String id) throws ApiException {
        return documents.getDocument(id, null, null, null, null, null, null, null, null);
    }

    static void check(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError(what);
        }
    }
}
