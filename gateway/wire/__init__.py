"""Sans-io codecs: bytes in, messages out; messages in, bytes out."""
