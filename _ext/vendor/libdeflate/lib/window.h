/*
 * window.h - decompression in windows; added by tracecheck, see ../ORIGIN.md
 *
 * Copyright 2026 the tracecheck authors; same licence as libdeflate (../COPYING)
 */

#ifndef LIB_WINDOW_H
#define LIB_WINDOW_H

#include "../libdeflate.h"

/* Bytes beyond `out_end` that a call may write, and that the buffer must have. */
#define LIBDEFLATE_WINDOW_OVERRUN 320

/* Bytes before `in_next` that must stay in place when the input moves: the bit buffer may give them back. */
#define LIBDEFLATE_WINDOW_KEEP 8

/* With fewer than this many bytes left of a piece that is not the last, more input is asked for. */
#define LIBDEFLATE_WINDOW_MARGIN 1024

enum libdeflate_window_result {
	LIBDEFLATE_WINDOW_DONE,		/* the stream ended; `in_next` is right behind it */
	LIBDEFLATE_WINDOW_FULL,		/* `out_next` reached `out_end`: make room, call again */
	LIBDEFLATE_WINDOW_INPUT,	/* give more input, call again */
	LIBDEFLATE_WINDOW_SHORT,	/* the stream does not end within its input */
	LIBDEFLATE_WINDOW_BAD,		/* not a deflate stream */
};

/*
 * A stream under way. The caller sets the input and output pointers, and zeroes the rest before the first call; between
 * calls it may move both buffers' contents, and must keep 32 KiB of output before `out_next`, or all since `out_begin`.
 */
struct libdeflate_window {
	const unsigned char *in_next;
	const unsigned char *in_end;
	int last_input;			/* nothing follows `in_end` */
	unsigned char *out_begin;	/* first byte of output that matches may refer to */
	unsigned char *out_next;
	unsigned char *out_end;
	/* the decompressor's own */
	int state;
	int is_final_block;
	unsigned stored;
	unsigned bitsleft;
	size_t overread_count;
	size_t bitbuf;
};

enum libdeflate_window_result
libdeflate_deflate_window(struct libdeflate_decompressor *decompressor, struct libdeflate_window *window);

#endif /* LIB_WINDOW_H */
