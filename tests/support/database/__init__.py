"""A server that stands where the database stands: it plays one, or stands before a real one."""
