"""What routers share: dependencies, problems, middleware, bodies, negotiation, responses."""
