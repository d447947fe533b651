/* The networks of algorithms/enhance/weights, which weights.S puts into the library. */
#include <nfsar/enhance.h>

#include <stdint.h>
#include <string.h>

#include "algorithms/enhance/safetensors.h"

extern const unsigned char enhance_weights_default[], enhance_weights_default_end[];
extern const unsigned char enhance_weights_paper[], enhance_weights_paper_end[];

static const struct {
    const char *name;
    const unsigned char *begin, *end;
} builtin[] = {{"default", enhance_weights_default, enhance_weights_default_end},
               {"paper", enhance_weights_paper, enhance_weights_paper_end}};

enum { BUILTINS = sizeof builtin / sizeof builtin[0] };

const char *nfsar_enhance_builtin_name(size_t i) {
    return i < BUILTINS ? builtin[i].name : NULL;
}

enum nfsar_status nfsar_enhance_builtin(const char *name, nfsar_enhance_model **model,
                                        nfsar_error *error) {
    *model = NULL;
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(name, builtin[i].name) == 0) {
            const size_t size = (uintptr_t)builtin[i].end - (uintptr_t)builtin[i].begin;
            enum nfsar_status status = nfsar_enhance_parse(builtin[i].begin, size, model, error);
            return status == NFSAR_OK ? status
                                      : nfsar_fail_in(error, status, "built-in network '%s'", name);
        }
    }
    const struct safetensors_shown shown = safetensors_show(name);
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "no network '%s' is built in: there are default and paper", shown.text);
}
