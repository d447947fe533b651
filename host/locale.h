/* Numbers with a decimal point, whatever locale the program that calls the library has set. */
#ifndef NFSAR_HOST_LOCALE_H
#define NFSAR_HOST_LOCALE_H

#include <locale.h>

/* Switch this thread to the numbers of the "C" locale, and back to what was before. */
locale_t plain_numbers_enter(void);
void plain_numbers_leave(locale_t *before);

/* As the first statement of a public function that reads or prints numbers: holds to the end of
 * the block, on every way out. */
#define PLAIN_NUMBERS                                                                              \
    locale_t plain_numbers __attribute__((cleanup(plain_numbers_leave), unused)) =                 \
        plain_numbers_enter()

#endif
