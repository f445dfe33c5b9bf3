"""What a statement reads, writes and calls; how it is masked at the source. The only room that knows SQL parsers."""
