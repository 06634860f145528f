"use strict";

// Adjust a request of "Try it out": what never ends, or may be very large, would freeze this page.
function adjust(request) {
  const accept = request.headers?.accept ?? request.headers?.Accept ?? "";
  if (accept === "text/event-stream") {
    throw new Error("This page cannot show the feed, which never ends. Follow it with curl -N.");
  }
  const url = new URL(request.url, document.baseURI);
  if (accept === "application/x-ndjson" && !url.searchParams.has("limit")) {
    url.searchParams.set("limit", "100");
    request.url = url.href;
  }
  return request;
}

// validatorUrl: the badge would send the document to its maker's host.
function show({ spec, key }) {
  const ui = SwaggerUIBundle({
    spec,
    dom_id: "#swagger-ui",
    deepLinking: true,
    displayRequestDuration: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: adjust,
    onComplete: () => key !== null && ui.preauthorizeApiKey("key", key),
  });
}

loadDocument(document.getElementById("swagger-ui")).then(show);
