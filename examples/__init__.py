"""Small programs: three first steps with coroutines, and a client of the store."""
