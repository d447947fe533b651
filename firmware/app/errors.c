#include "firmware/app/errors.h"

void errors_raise(struct errors *errors, enum nfsar_wire_error_code error, uint16_t source,
                  int32_t value) {
    const uint32_t bit = 1U << (source < 32 ? source : 31);
    const bool told = (errors->sources[error] & bit) != 0;
    errors->times[error]++;
    errors->latched |= 1U << error;
    errors->sources[error] |= bit;
    if (told) {
        return;
    }
    const struct nfsar_wire_error record = {.error = (uint8_t)error,
                                            .latched = 1,
                                            .source = source,
                                            .value = value,
                                            .times = errors->times[error]};
    if (errors->count < ERRORS_TOLD) {
        errors->told[errors->count++] = record;
    }
    errors->tell(errors->context, &record);
}

void errors_repeat(struct errors *errors) {
    for (unsigned i = 0; i < errors->count; i++) {
        struct nfsar_wire_error record = errors->told[i];
        record.times = errors->times[record.error];
        errors->tell(errors->context, &record);
    }
}

bool errors_latched(const struct errors *errors, enum nfsar_wire_error_code error) {
    return (errors->latched & (1U << error)) != 0;
}

static void forget(struct errors *errors, uint32_t bits) {
    unsigned kept = 0;
    for (unsigned i = 0; i < errors->count; i++) {
        if ((bits & 1U << errors->told[i].error) == 0) {
            errors->told[kept++] = errors->told[i];
        }
    }
    errors->count = kept;
}

void errors_clear(struct errors *errors, uint32_t bits) {
    forget(errors, bits);
    for (unsigned error = 0; error < ERRORS; error++) {
        const uint32_t bit = 1U << error;
        if ((errors->latched & bits & bit) == 0) {
            continue;
        }
        const struct nfsar_wire_error record = {.error = (uint8_t)error,
                                                .times = errors->times[error]};
        errors->latched &= ~bit;
        errors->sources[error] = 0;
        errors->times[error] = 0;
        errors->tell(errors->context, &record);
    }
}
