/* The shared field scanner, compiled by Ragel. One machine serves every line:
 * it marks fields and leaves their meaning to the descriptors. */
#include "scan.h"

/* Ragel's goto style falls through between states, its table styles mix signs. */
#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas" /* older ones know fewer warnings */
#pragma GCC diagnostic ignored "-Wimplicit-fallthrough"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#endif

%%{
    machine at_fields;
    access scan->;
    alphtype unsigned char;

    action begin {
        if (scan->nmarks == AT_FIELDS_MAX) {
            result = AT_SCAN_ERROR;
            fbreak;
        }
        mark_begin(scan, offset + (size_t)(p - start));
    }
    action is_int { mark_end(scan, offset + (size_t)(p - start), AT_MARK_INT); }
    action is_quoted { mark_quoted(scan, offset + (size_t)(p - start)); }
    action is_bare { mark_end(scan, offset + (size_t)(p - start), AT_MARK_BARE); }
    action is_range { mark_end(scan, offset + (size_t)(p - start), AT_MARK_RANGE); }
    action is_rest { mark_rest(scan, line, offset + (size_t)(p - start)); }
    action comma {
        if (scan->nmarks == scan->rest && scan->nmarks < AT_FIELDS_MAX) {
            mark_begin(scan, offset + (size_t)(p - start) + 1u);
            fnext rest;
        }
        if (scan->nmarks == scan->stop) {
            result = AT_SCAN_STOP;
            fbreak;
        }
    }
    action done {
        result = AT_SCAN_END;
        fbreak;
    }
    text = 0x20..0x7e;
    # A CR inside a line is no line end; only CRs right before the LF are.
    eol = '\r'* '\n' @done;

    int = '-'? [0-9]+;
    quoted = '"' ( text - '"' )* '"';
    bare = ( ( text - [ ,"(] ) ( text - ',' )* ) - int;
    range = '(' text*;
    field = ( int %is_int | quoted %is_quoted | bare %is_bare ) >begin;
    last = field | range >begin %is_range;

    rest := text* %is_rest eol;
    main := ' '? ( field ',' @comma )* last eol;

    write data nofinal;
}%%

static void mark_begin(struct at_scan *scan, size_t at)
{
    scan->marks[scan->nmarks].begin = (uint16_t)at;
}

static void mark_end(struct at_scan *scan, size_t at, enum at_mark_kind kind)
{
    scan->marks[scan->nmarks].end = (uint16_t)at;
    scan->marks[scan->nmarks].kind = (uint8_t)kind;
    scan->nmarks++;
}

/* The quotes are no part of the field. */
static void mark_quoted(struct at_scan *scan, size_t at)
{
    scan->marks[scan->nmarks].begin++;
    mark_end(scan, at - 1u, AT_MARK_QUOTED);
}

static bool is_integer(const uint8_t *text, size_t len)
{
    size_t sign = len > 0 && text[0] == '-';
    for (size_t i = sign; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
    }
    return len > sign;
}

/* What the rest of a line is shows only at its end. */
static void mark_rest(struct at_scan *scan, const uint8_t *line, size_t at)
{
    struct at_mark *mark = &scan->marks[scan->nmarks];
    if (scan->nmarks == 0 && mark->begin < at && line[mark->begin] == ' ') {
        mark->begin++;
    }
    const uint8_t *text = line + mark->begin;
    size_t len = at - mark->begin;
    if (len >= 2 && text[0] == '"' && text[len - 1u] == '"') {
        mark_quoted(scan, at);
    } else {
        mark_end(scan, at, is_integer(text, len) ? AT_MARK_INT : AT_MARK_REST);
    }
}

void at_scan_start(struct at_scan *scan, struct at_mark *marks, size_t begin, uint8_t rest,
                   uint8_t stop)
{
    scan->marks = marks;
    scan->nmarks = 0;
    scan->rest = rest;
    scan->stop = stop;
    scan->cs = (uint16_t)(rest == 0 ? at_fields_en_rest : at_fields_en_main);
    mark_begin(scan, begin);
}

enum at_scan_result at_scan(struct at_scan *scan, const uint8_t *line, size_t offset,
                            const uint8_t **at, const uint8_t *end)
{
    const uint8_t *start = *at;
    const uint8_t *p = start;
    const uint8_t *pe = end;
    enum at_scan_result result = AT_SCAN_MORE;

    (void)at_fields_start;
    %% write exec;
    *at = p;
    return (int)scan->cs == at_fields_error ? AT_SCAN_ERROR : result;
}

#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif
