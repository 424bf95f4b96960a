"""Watching: the decoders and checkers of `analyze` on a stream without end, in bounded memory."""
