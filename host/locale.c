#include "host/locale.h"

locale_t plain_numbers_enter(void) {
    /* Everything but the numbers stays as the thread has it. */
    locale_t copy = duplocale(uselocale((locale_t)0));
    locale_t made = copy != (locale_t)0 ? newlocale(LC_NUMERIC_MASK, "C", copy) : (locale_t)0;
    if (made == (locale_t)0) {
        if (copy != (locale_t)0) {
            freelocale(copy);
        }
        return uselocale((locale_t)0);
    }
    return uselocale(made);
}

void plain_numbers_leave(locale_t *before) {
    locale_t made = uselocale(*before);
    if (made != *before && made != LC_GLOBAL_LOCALE) {
        freelocale(made);
    }
}
