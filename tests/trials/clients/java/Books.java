import com.fasterxml.jackson.databind.ObjectMapper;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import stuff.ApiClient;
import stuff.ApiException;
import stuff.api.BooksApi;
import stuff.model.Book;
import stuff.model.BookFields;
import stuff.model.BookMedium;
import stuff.model.BookPage;
import stuff.model.BookPatch;
import stuff.model.BookPerson;
import stuff.model.BookPublisher;
import stuff.model.BookPublisherAddress;
import stuff.model.BookPublisherAddressPatch;
import stuff.model.BookPublisherPatch;
import stuff.model.Fault;
import stuff.model.Problem;

/** The story of a declared collection. */
class Books {
    static void tell(ApiClient client) throws Exception {
        BooksApi books = new BooksApi(client);
        ObjectMapper mapper = client.getObjectMapper();

        BookFields notes = new BookFields()
            .id("L-7")
            .title("Notes")
            .subtitle("On the Analytical Engine")
            .year(1843L)
            .language(BookFields.LanguageEnum.EN)
            .published(LocalDate.of(1843, 9, 1))
            .bought(OffsetDateTime.parse("2026-11-23T12:30:00Z"))
            .authors(List.of(new BookPerson().name("Ada Lovelace").born(1815L)))
            .chapters(List.of(List.of("A", "B"), List.of()))
            .publisher(new BookPublisher().name("Taylor").address(new BookPublisherAddress().city("London")))
            .medium(new BookMedium().form(BookMedium.FormEnum.PAPER).pages(66L))
            .ratings(Map.of("Babbage", 4.5))
            .lent(false);
        var created = books.putBookWithHttpInfo("notes", notes, null, "*", null, null);
        Story.check(created.getStatusCode() == 201, "create");

        Book book = books.getBook("notes", true, null, null, null, null);
        Story.check(book.getDocumentId().equals("notes") && book.getId().equals("L-7"), "ids");
        Map<String, Object> stored = fieldsOf(mapper, book);
        stored.remove("_stuff");
        Map<String, Object> sent = fieldsOf(mapper, notes);
        sent.put("_id", "notes");
        Story.check(stored.equals(sent), stored.toString());
        String etag = "\"" + book.getStuff().getEtag() + "\"";
        Story.check(etag.equals(created.getHeaders().get("etag").get(0)), etag);

        BookFields wrong = new BookFields().id("7").title(" Notes").year(1843L);
        try {
            books.putBook("notes", wrong, null, null, null, null);
            Story.check(false, "what does not fit");
        } catch (ApiException failure) {
            Story.check(failure.getCode() == 422, "another status");
            Problem problem = mapper.readValue(failure.getResponseBody(), Problem.class);
            Story.check(problem.getType().equals("/problems/schema-violation"), problem.toString());
            Set<String> pointers = problem.getErrors().stream().map(Fault::getPointer).collect(Collectors.toSet());
            Story.check(pointers.equals(Set.of("/id", "/title")), pointers.toString());
            Story.check(problem.getErrors().stream().noneMatch(fault -> fault.getDetail().isEmpty()), "no detail");
        }

        // What is null is removed, what is not named stays.
        BookPatch patch = new BookPatch().subtitle(null).lent(true).publisher(
            new BookPublisherPatch().address(new BookPublisherAddressPatch().street("Red Lion Court")));
        Book patched = books.patchBook("notes", patch, null, etag, null, null, null, null);
        Story.check(!patched.getSubtitle_JsonNullable().isPresent() && patched.getLent(), "patched");
        BookPublisherAddress moved = new BookPublisherAddress().city("London").street("Red Lion Court");
        Story.check(patched.getPublisher().equals(new BookPublisher().name("Taylor").address(moved)), "its publisher");
        Story.check(patched.getMedium().equals(book.getMedium()), "its medium");

        try {
            books.putBook("notes", notes, etag, null, null, null);
            Story.check(false, "a late replacement");
        } catch (ApiException failure) {
            Story.check(failure.getCode() == 412, "another status");
        }

        String other = books.createBook(new BookFields().title("Passages").year(1864L), null, null).getDocumentId();
        List<String> titles = new ArrayList<>();
        String after = null;
        do {
            BookPage page = books.listBooks(1, null, null, "year", after, null);
            page.getItems().forEach(item -> titles.add(item.getTitle()));
            after = page.getNext();
        } while (after != null);
        Story.check(titles.equals(List.of("Notes", "Passages")), titles.toString());

        for (String each : List.of("notes", other)) {
            var deleted = books.deleteBookWithHttpInfo(each, null, null, null);
            Story.check(deleted.getStatusCode() == 204, "delete");
        }
    }

    @SuppressWarnings("unchecked")
    private static Map<String, Object> fieldsOf(ObjectMapper mapper, Object model) {
        return mapper.convertValue(model, HashMap.class);
    }
}
