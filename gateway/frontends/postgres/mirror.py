"""What a finished SQL statement changed in its session: names, settings, schema. Followed only once it is done."""
