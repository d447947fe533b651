#include "tests/rig/faults.h"

#include <stdlib.h>
#include <string.h>

#define AT(name) offsetof(struct rig_faults, name)

enum type { CHANCE, COUNT, WIDE, FLAG };

static const struct fault {
    const char *name;
    enum type type;
    size_t at;
    double most;
} known[] = {
    {"seed", WIDE, AT(card.seed), 1e15},
    {"loss", CHANCE, AT(card.loss), 1.0},
    {"duplicate", CHANCE, AT(card.duplicate), 1.0},
    {"late", CHANCE, AT(card.late), 1.0},
    {"late-packets", COUNT, AT(card.late_packets), 4096.0},
    {"reorder", COUNT, AT(card.reorder), 4096.0},
    {"first-byte", WIDE, AT(card.first_byte), 1e15},
    {"miss", WIDE, AT(miss), 1e12},
    {"miss2", WIDE, AT(miss2), 1e12},
    {"mute", WIDE, AT(mute), 1e12},
    {"ddr-full", WIDE, AT(ddr_full), 1e12},
    {"emergency", WIDE, AT(emergency), 1e12},
    {"restart", WIDE, AT(restart), 1e12},
    {"drop-record", WIDE, AT(drop_record), 1e12},
    {"drop-records", WIDE, AT(drop_records), 1e12},
    {"hang-stop", FLAG, AT(hang_stop), 1.0},
    {"no-last", FLAG, AT(card.no_last), 1.0},
    {"cut-last", COUNT, AT(card.cut_last), 1456.0},
    {"silent", FLAG, AT(card.silent), 1.0},
    {"silent-commands", COUNT, AT(card.silent_commands), 1e6},
    {"wrong-replies", FLAG, AT(card.wrong_replies), 1.0},
    {"refuse", COUNT, AT(card.refuse), 255.0},
};

static void set(const struct fault *fault, double value, struct rig_faults *faults) {
    char *at = (char *)faults + fault->at;
    switch (fault->type) {
    case CHANCE:
        memcpy(at, &value, sizeof value);
        break;
    case COUNT:
        memcpy(at, &(unsigned){(unsigned)value}, sizeof(unsigned));
        break;
    case WIDE:
        memcpy(at, &(uint64_t){(uint64_t)value}, sizeof(uint64_t));
        break;
    case FLAG:
        memcpy(at, &(bool){value != 0.0}, sizeof(bool));
        break;
    }
}

static enum nfsar_status read_one(const char *text, size_t n, struct rig_faults *faults,
                                  nfsar_error *error) {
    const char *equals = memchr(text, '=', n);
    const size_t name = equals != NULL ? (size_t)(equals - text) : n;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strlen(known[i].name) != name || memcmp(known[i].name, text, name) != 0) {
            continue;
        }
        char *end = NULL;
        const double value = equals != NULL ? strtod(equals + 1, &end) : 1.0;
        const bool whole =
            equals == NULL ? known[i].type == FLAG : end == text + n && end > equals + 1;
        if (!whole || !(value >= 0.0 && value <= known[i].most)) {
            return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "--fault %.*s: expected %s=0 to %g",
                              (int)n, text, known[i].name, known[i].most);
        }
        set(&known[i], value, faults);
        return NFSAR_OK;
    }
    return nfsar_fail(
        error, NFSAR_ERROR_ARGUMENT,
        "--fault %.*s: expected loss, duplicate, late, late-packets, reorder, "
        "first-byte, no-last, cut-last, silent, silent-commands, wrong-replies, refuse, miss, "
        "miss2, mute, ddr-full, emergency, restart, drop-record, drop-records, hang-stop or seed",
        (int)n, text);
}

enum nfsar_status rig_faults_read(const char *text, struct rig_faults *faults, nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    while (status == NFSAR_OK && *text != '\0') {
        const size_t n = strcspn(text, ",");
        status = read_one(text, n, faults, error);
        text += n + (text[n] == ',');
    }
    return status;
}
