/* What one revision or firmware has, of a grammar that has it all. */
#include "at/codec.h"

#include "text.h"

/* Views of a series stand in order; older firmware than the first is like the first. */
static const struct at_grammar *of_firmware(const struct at_grammar *grammar,
                                            const struct at_firmware *firmware)
{
    const struct at_grammar *found = NULL;
    for (uint8_t i = 0; i < grammar->nviews; i++) {
        const struct at_view *view = &grammar->views[i];
        if (view->series == firmware->series &&
            (found == NULL || at_firmware_compare(firmware, view->numbers) >= 0)) {
            found = view->grammar;
        }
    }
    return found;
}

const struct at_grammar *at_grammar_of(const struct at_grammar *grammar, struct at_str name)
{
    struct at_firmware firmware;
    for (uint8_t i = 0; i < grammar->nviews; i++) {
        const struct at_view *view = &grammar->views[i];
        if (view->series == 0 &&
            at_text_equal((const uint8_t *)name.ptr, name.len, view->name)) {
            return view->grammar;
        }
    }
    if (at_firmware_parse(grammar->series, grammar->nseries, name, &firmware) != AT_OK) {
        return NULL;
    }
    return of_firmware(grammar, &firmware);
}

bool at_grammar_has(const struct at_grammar *grammar, uint16_t form)
{
    for (uint16_t i = 0; i < grammar->nheads; i++) {
        const struct at_command_head *head = &grammar->heads[i];
        for (uint8_t k = 0; k < head->count; k++) {
            if (grammar->forms[head->first + k] == form) {
                return true;
            }
        }
    }
    return false;
}
