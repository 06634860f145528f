// The stories, by the client of openapi-generator.
package main

import (
	"context"
	"fmt"
	"os"
	"reflect"

	"story/stuff"
)

type fields = map[string]interface{}

func check(holds bool, what ...interface{}) {
	if !holds {
		panic(fmt.Sprint(what...))
	}
}

func main() {
	configuration := stuff.NewConfiguration()
	configuration.Servers = stuff.ServerConfigurations{{URL: os.Getenv("STUFF_URL")}}
	client := stuff.NewAPIClient(configuration)
	documents := client.DocumentsAPI
	ctx := context.WithValue(context.Background(), stuff.ContextAccessToken, os.Getenv("STUFF_KEY"))

	created, response, err := documents.CreateDocument(ctx).RequestBody(fields{"name": "Ada", "born": 1815}).Execute()
	check(err == nil && response.StatusCode == 201, "create", err)
	id, etag := created["_id"].(string), response.Header.Get("ETag")

	got, _, err := documents.GetDocument(ctx, id).Execute()
	check(err == nil, "get", err)
	check(reflect.DeepEqual(got, fields{"_id": id, "name": "Ada", "born": 1815.0}), got)

	replaced, err := documents.PutDocument(ctx, id).RequestBody(fields{"name": "Ada Lovelace"}).IfMatch(etag).Execute()
	check(err == nil && replaced.StatusCode == 200, "replace", err)

	late, err := documents.PutDocument(ctx, id).RequestBody(fields{"name": "?"}).IfMatch(etag).Execute()
	problem := problemOf(late, err, 412)
	check(problem.GetType() == "/problems/precondition-failed", "another problem", problem)
	check(problem.GetEtag() == replaced.Header.Get("ETag"), "no tag", problem)

	patched, _, err := documents.PatchDocument(ctx, id).RequestBody(fields{"died": 1852}).Execute()
	check(err == nil, "patch", err)
	check(reflect.DeepEqual(patched, fields{"_id": id, "name": "Ada Lovelace", "died": 1852.0}), patched)

	ids := []string{id}
	for number := 0; number < 5; number++ {
		ids = append(ids, fmt.Sprintf("p/%d", number))
		_, err := documents.PutDocument(ctx, ids[number+1]).RequestBody(fields{"page": number}).Execute()
		check(err == nil, "put", err)
	}
	numbers := []interface{}{}
	request := documents.GetDocuments(ctx).Filter(`{"page": {"$gte": 0}}`).Limit(2)
	for {
		page, _, err := request.Execute()
		check(err == nil, "page", err)
		for _, item := range page.GetItems() {
			numbers = append(numbers, item["page"])
		}
		if page.GetNext() == "" {
			break
		}
		request = request.After(page.GetNext())
	}
	check(reflect.DeepEqual(numbers, []interface{}{0.0, 1.0, 2.0, 3.0, 4.0}), numbers)

	for _, each := range ids {
		deleted, err := documents.DeleteDocument(ctx, each).Execute()
		check(err == nil && deleted.StatusCode == 204, "delete", err)
	}
	_, gone, err := documents.GetDocument(ctx, id).Execute()
	check(err != nil && gone.StatusCode == 404, "gone", err)

	books(client, ctx)
}
