package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"reflect"
	"time"

	"story/stuff"
)

// The story of a declared collection.
func books(client *stuff.APIClient, ctx context.Context) {
	notes := stuff.NewBookFields("Notes", 1843)
	notes.SetId("L-7")
	notes.SetSubtitle("On the Analytical Engine")
	notes.SetLanguage("en")
	notes.SetPublished("1843-09-01")
	notes.SetBought(time.Date(2026, 11, 23, 12, 30, 0, 0, time.UTC))
	ada := stuff.NewBookPerson("Ada Lovelace")
	ada.SetBorn(1815)
	notes.SetAuthors([]stuff.BookPerson{*ada})
	notes.SetChapters([][]string{{"A", "B"}, {}})
	publisher := stuff.NewBookPublisher("Taylor")
	publisher.SetAddress(*stuff.NewBookPublisherAddress("London"))
	notes.SetPublisher(*publisher)
	medium := stuff.NewBookMedium("paper")
	medium.SetPages(66)
	notes.SetMedium(*medium)
	notes.SetRatings(map[string]float64{"Babbage": 4.5})
	notes.SetLent(false)
	created, err := client.BooksAPI.PutBook(ctx, "notes").BookFields(*notes).IfNoneMatch("*").Execute()
	check(err == nil && created.StatusCode == 201, "create", err)

	book, _, err := client.BooksAPI.GetBook(ctx, "notes").Meta(true).Execute()
	check(err == nil, "get", err)
	check(book.GetDocumentId() == "notes" && book.GetId() == "L-7", "ids", book)
	stored, sent := asMap(book), asMap(notes)
	delete(stored, "_stuff")
	sent["_id"] = "notes"
	check(reflect.DeepEqual(stored, sent), stored, sent)
	etag := `"` + book.Stuff.GetEtag() + `"`
	check(etag == created.Header.Get("ETag"), "another tag", etag)

	wrong := stuff.NewBookFields(" Notes", 1843)
	wrong.SetId("7")
	refused, err := client.BooksAPI.PutBook(ctx, "notes").BookFields(*wrong).Execute()
	problem := problemOf(refused, err, 422)
	check(problem.GetType() == "/problems/schema-violation", "another problem", problem)
	pointers := map[string]bool{}
	for _, fault := range problem.GetErrors() {
		pointers[fault.GetPointer()] = fault.GetDetail() != ""
	}
	check(reflect.DeepEqual(pointers, map[string]bool{"/id": true, "/title": true}), pointers)

	patch := stuff.NewBookPatch() // what is nil is removed, what is not set stays
	patch.SetSubtitleNil()
	patch.SetLent(true)
	address := stuff.NewBookPublisherAddressPatch()
	address.SetStreet("Red Lion Court")
	moved := stuff.NewBookPublisherPatch()
	moved.SetAddress(*address)
	patch.SetPublisher(*moved)
	patched, _, err := client.BooksAPI.PatchBook(ctx, "notes").BookPatch(*patch).IfMatch(etag).Execute()
	check(err == nil, "patch", err)
	check(!patched.HasSubtitle() && patched.GetLent(), "patched", patched)
	check(patched.Publisher.GetName() == "Taylor", "its name", patched)
	check(patched.Publisher.Address.GetCity() == "London", "its city", patched)
	check(patched.Publisher.Address.GetStreet() == "Red Lion Court", "its street", patched)
	check(reflect.DeepEqual(patched.Medium, book.Medium), "its medium", patched)

	late, err := client.BooksAPI.PutBook(ctx, "notes").BookFields(*notes).IfMatch(etag).Execute()
	problemOf(late, err, 412)

	passages := *stuff.NewBookFields("Passages", 1864)
	other, _, err := client.BooksAPI.CreateBook(ctx).BookFields(passages).Execute()
	check(err == nil, "create another", err)
	titles := []string{}
	request := client.BooksAPI.ListBooks(ctx).Sort("year").Limit(1)
	for {
		page, _, err := request.Execute()
		check(err == nil, "page", err)
		for _, item := range page.GetItems() {
			titles = append(titles, item.GetTitle())
		}
		if page.GetNext() == "" {
			break
		}
		request = request.After(page.GetNext())
	}
	check(reflect.DeepEqual(titles, []string{"Notes", "Passages"}), titles)

	for _, each := range []string{"notes", other.GetDocumentId()} {
		deleted, err := client.BooksAPI.DeleteBook(ctx, each).Execute()
		check(err == nil && deleted.StatusCode == 204, "delete", err)
	}
}

func asMap(value interface{}) (result fields) {
	text, err := json.Marshal(value)
	check(err == nil, err)
	check(json.Unmarshal(text, &result) == nil, text)
	return result
}

func problemOf(response *http.Response, err error, status int) stuff.Problem {
	check(err != nil && response.StatusCode == status, "another status", err)
	var failure *stuff.GenericOpenAPIError
	check(errors.As(err, &failure), "no problem", err)
	problem, ok := failure.Model().(stuff.Problem)
	check(ok, "no problem", err)
	return problem
}
