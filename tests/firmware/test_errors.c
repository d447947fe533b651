/* Errors that stay: told once for each source, counted, repeated, cleared. */
#include "tests/firmware/check.h"

#include "firmware/app/errors.h"

struct heard {
    struct nfsar_wire_error last;
    unsigned times;
    uint32_t codes; /* bits of the errors told */
};

static void hear(void *context, const struct nfsar_wire_error *error) {
    struct heard *heard = context;
    heard->last = *error;
    heard->times++;
    heard->codes |= 1U << error->error;
}

static struct errors listen(struct heard *heard) {
    *heard = (struct heard){0};
    return (struct errors){.tell = hear, .context = heard};
}

static void an_error_is_told_once_and_counted(void **state) {
    (void)state;
    struct heard heard;
    struct errors errors = listen(&heard);
    assert_false(errors_latched(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT));
    errors_raise(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT, 1, -4711);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.last.error, NFSAR_WIRE_ERROR_AXIS_LIMIT);
    assert_int_equal(heard.last.latched, 1);
    assert_int_equal(heard.last.source, 1);
    assert_int_equal(heard.last.value, -4711);
    assert_int_equal(heard.last.times, 1);
    assert_true(errors_latched(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT));
    assert_int_equal(errors.latched, 1U << NFSAR_WIRE_ERROR_AXIS_LIMIT);
    for (unsigned i = 0; i < 99; i++) {
        errors_raise(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT, 1, 5);
    }
    assert_int_equal(heard.times, 1);
    /* Another axis is told for itself. */
    errors_raise(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT, 2, 6);
    assert_int_equal(heard.times, 2);
    assert_int_equal(heard.last.source, 2);
    assert_int_equal(heard.last.times, 101);
    errors_raise(&errors, NFSAR_WIRE_ERROR_AXIS_LIMIT, 1, 7);
    assert_int_equal(heard.times, 2);
}

static void sources_beyond_the_bits_share_the_last(void **state) {
    (void)state;
    struct heard heard;
    struct errors errors = listen(&heard);
    for (uint32_t source = 0; source <= UINT16_MAX; source += source < 40 ? 1 : 997) {
        errors_raise(&errors, NFSAR_WIRE_ERROR_INPUT_LOST, (uint16_t)source, 0);
    }
    assert_int_equal(heard.times, 32);
    assert_int_equal(heard.last.source, 31);
}

static void clearing_tells_what_was_latched(void **state) {
    (void)state;
    struct heard heard;
    struct errors errors = listen(&heard);
    errors_clear(&errors, UINT32_MAX);
    assert_int_equal(heard.times, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_TRIGGER_EARLY, 0, 12);
    errors_raise(&errors, NFSAR_WIRE_ERROR_WATCHDOG, 0, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_WATCHDOG, 0, 0);
    errors_clear(&errors, 1U << NFSAR_WIRE_ERROR_WATCHDOG | 1U << NFSAR_WIRE_ERROR_CRASHED);
    assert_int_equal(heard.times, 3);
    assert_int_equal(heard.last.error, NFSAR_WIRE_ERROR_WATCHDOG);
    assert_int_equal(heard.last.latched, 0);
    assert_int_equal(heard.last.times, 2);
    assert_int_equal(errors.latched, 1U << NFSAR_WIRE_ERROR_TRIGGER_EARLY);
    errors_clear(&errors, 1U << NFSAR_WIRE_ERROR_WATCHDOG);
    assert_int_equal(heard.times, 3);
    /* It counts from one again, and is told again. */
    errors_raise(&errors, NFSAR_WIRE_ERROR_WATCHDOG, 0, 3);
    assert_int_equal(heard.times, 4);
    assert_int_equal(heard.last.times, 1);
}

static void all_thirty_two_bits_work(void **state) {
    (void)state;
    struct heard heard;
    struct errors errors = listen(&heard);
    for (unsigned error = 0; error < ERRORS; error++) {
        errors_raise(&errors, (enum nfsar_wire_error_code)error, (uint16_t)error, (int32_t)error);
    }
    assert_true(errors.latched == UINT32_MAX);
    assert_true(heard.codes == UINT32_MAX);
    heard.codes = 0;
    errors_clear(&errors, UINT32_MAX);
    assert_int_equal(errors.latched, 0);
    assert_true(heard.codes == UINT32_MAX);
    assert_int_equal(heard.times, 64);
}

static void a_host_that_comes_later_hears_what_is_latched(void **state) {
    (void)state;
    struct heard heard;
    struct errors errors = listen(&heard);
    errors_repeat(&errors);
    assert_int_equal(heard.times, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_RADAR_SILENT, 0, 17);
    errors_raise(&errors, NFSAR_WIRE_ERROR_RADAR_SILENT, 0, 18);
    errors_raise(&errors, NFSAR_WIRE_ERROR_CRASHED, 0, 0x8001234);
    heard = (struct heard){0};
    errors_repeat(&errors);
    assert_int_equal(heard.times, 2);
    assert_int_equal(heard.codes,
                     1U << NFSAR_WIRE_ERROR_RADAR_SILENT | 1U << NFSAR_WIRE_ERROR_CRASHED);
    assert_int_equal(heard.last.latched, 1);
    errors_clear(&errors, 1U << NFSAR_WIRE_ERROR_CRASHED);
    errors_repeat(&errors);
    assert_int_equal(heard.last.error, NFSAR_WIRE_ERROR_RADAR_SILENT);
    assert_int_equal(heard.last.value, 17);
    assert_int_equal(heard.last.times, 2);
}

static void hear_sources(void *context, const struct nfsar_wire_error *error) {
    *(uint32_t *)context |= 1U << error->source;
}

static void every_source_is_repeated(void **state) {
    (void)state;
    uint32_t sources = 0;
    struct errors errors = {.tell = hear_sources, .context = &sources};
    errors_raise(&errors, NFSAR_WIRE_ERROR_EMERGENCY_STOP, 0, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_SENSOR_SILENT, 5, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_EMERGENCY_STOP, 1, 0);
    errors_raise(&errors, NFSAR_WIRE_ERROR_EMERGENCY_STOP, 2, 0);
    sources = 0;
    errors_repeat(&errors);
    assert_int_equal(sources, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 5);
    errors_clear(&errors, 1U << NFSAR_WIRE_ERROR_EMERGENCY_STOP);
    sources = 0;
    errors_repeat(&errors);
    assert_int_equal(sources, 1 << 5);
    /* More than there can be are told, and those that are kept repeated. */
    for (unsigned i = 0; i < 32 * ERRORS; i++) {
        errors_raise(&errors, (enum nfsar_wire_error_code)(i % 32), (uint16_t)(i / 32), 0);
    }
    assert_int_equal(errors.count, ERRORS_TOLD);
    errors_repeat(&errors);
    errors_clear(&errors, UINT32_MAX);
    assert_int_equal(errors.count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_is_told_once_and_counted),
        cmocka_unit_test(sources_beyond_the_bits_share_the_last),
        cmocka_unit_test(clearing_tells_what_was_latched),
        cmocka_unit_test(all_thirty_two_bits_work),
        cmocka_unit_test(a_host_that_comes_later_hears_what_is_latched),
        cmocka_unit_test(every_source_is_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
