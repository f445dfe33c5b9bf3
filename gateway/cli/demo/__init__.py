"""`querywarden demo`: the main job with nothing to configure."""
