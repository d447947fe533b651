/* --fault of nfsar-rig. */
#include "tests/rig/faults.h"
#include "tests/support.h"

static void faults_are_read(void **state) {
    (void)state;
    struct rig_faults faults = {0};
    nfsar_error error;
    assert_ok(rig_faults_read("loss=0.01,reorder=50,no-last,seed=7,late=1,late-packets=3,refuse=5",
                              &faults, &error),
              error);
    assert_true(faults.card.loss == 0.01 && faults.card.late == 1.0 &&
                faults.card.duplicate == 0.0);
    assert_int_equal(faults.card.reorder, 50);
    assert_int_equal(faults.card.late_packets, 3);
    assert_int_equal(faults.card.refuse, 5);
    assert_int_equal(faults.card.seed, 7);
    assert_true(faults.card.no_last);
    assert_false(faults.card.silent);
    assert_ok(rig_faults_read("", &faults, &error), error);
    assert_ok(rig_faults_read("no-last=0,first-byte=4294967296", &faults, &error), error);
    assert_false(faults.card.no_last);
    assert_true(faults.card.first_byte == (uint64_t)1 << 32);
}

static void faults_of_radar_hub_and_stage_are_read(void **state) {
    (void)state;
    struct rig_faults faults = {0};
    nfsar_error error;
    assert_ok(rig_faults_read("miss=81,miss2=120,mute=7,ddr-full=8,emergency=9,restart=10,"
                              "drop-record=11,drop-records=3,hang-stop",
                              &faults, &error),
              error);
    assert_int_equal(faults.miss, 81);
    assert_int_equal(faults.miss2, 120);
    assert_int_equal(faults.mute, 7);
    assert_int_equal(faults.ddr_full, 8);
    assert_int_equal(faults.emergency, 9);
    assert_int_equal(faults.restart, 10);
    assert_int_equal(faults.drop_record, 11);
    assert_int_equal(faults.drop_records, 3);
    assert_true(faults.hang_stop);
}

static void others_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *says;
    } wrong[] = {{"lost=0.1", "--fault lost=0.1: expected loss, duplicate"},
                 {"loss", "--fault loss: expected loss=0 to 1"},
                 {"loss=", "--fault loss=: expected loss=0 to 1"},
                 {"loss=1.5", "--fault loss=1.5: expected"},
                 {"loss=nan", "--fault loss=nan: expected"},
                 {"seed=1,reorder=5000", "--fault reorder=5000: expected reorder=0 to 4096"},
                 {"loss=0.1x", "--fault loss=0.1x: expected"},
                 {"mute", "--fault mute: expected mute=0 to"},
                 {"hang-stop=2", "--fault hang-stop=2: expected hang-stop=0 to 1"},
                 {"=3", "--fault =3: expected loss, duplicate"}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct rig_faults faults = {0};
        nfsar_error error;
        assert_int_equal(rig_faults_read(wrong[i].text, &faults, &error), NFSAR_ERROR_ARGUMENT);
        assert_contains(error.message, wrong[i].says);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_read),
        cmocka_unit_test(faults_of_radar_hub_and_stage_are_read),
        cmocka_unit_test(others_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
