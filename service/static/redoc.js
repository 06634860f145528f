"use strict";

const page = document.getElementById("redoc");
loadDocument(page).then(({ spec }) => Redoc.init(spec, {}, page));
