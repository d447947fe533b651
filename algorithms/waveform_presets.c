#include <nfsar/waveform.h>

#include <string.h>

/* Chirps by name. The band presets fill a band from its first to its last frequency; the others
 * are the chirps of published scans (docs/simulate.md). */
static const struct preset {
    const char *name;
    size_t n_sample;
    nfsar_fmcw fmcw;
} presets[] = {
    /* slope = 4 GHz * rate / (n - 1): the last sample is at 81 (64) GHz. */
    {"77-81ghz-64", 64, {77e9, 4e9 * 2e6 / 63.0, 2e6, 0.0}},
    {"77-81ghz-128", 128, {77e9, 4e9 * 4e6 / 127.0, 4e6, 0.0}},
    {"77-81ghz-256", 256, {77e9, 4e9 * 5e6 / 255.0, 5e6, 0.0}},
    {"77-81ghz-512", 512, {77e9, 4e9 * 10e6 / 511.0, 10e6, 0.0}},
    {"60-64ghz-64", 64, {60e9, 4e9 * 2e6 / 63.0, 2e6, 0.0}},
    {"60-64ghz-256", 256, {60e9, 4e9 * 5e6 / 255.0, 5e6, 0.0}},
    /* Yanik and Torlak's 256- and 512-sample chirps on the xWR1443. */
    {"xwr1443-256", 256, {77e9, 70.295e12, 5e6, 4.66e-6}},
    {"xwr1443-512", 512, {77e9, 63.343e12, 9.121e6, 6e-6}},
    /* Smith's turntable chirp. */
    {"xwr1443-64", 64, {77e9, 19.988e12, 322e3, 6e-6}},
};

enum { PRESETS = sizeof presets / sizeof presets[0] };

const char *const *nfsar_waveform_preset_names(void) {
    static const char *const names[] = {
        "77-81ghz-64",  "77-81ghz-128", "77-81ghz-256", "77-81ghz-512", "60-64ghz-64",
        "60-64ghz-256", "xwr1443-64",   "xwr1443-256",  "xwr1443-512",  NULL};
    return names;
}

enum nfsar_status nfsar_waveform_preset(const char *name, nfsar_fmcw *fmcw, size_t *n_sample,
                                        nfsar_error *error) {
    for (size_t i = 0; i < PRESETS; i++) {
        if (strcmp(name, presets[i].name) == 0) {
            *fmcw = presets[i].fmcw;
            *n_sample = presets[i].n_sample;
            return NFSAR_OK;
        }
    }
    return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                      "there is no waveform preset '%s'; known are 77-81ghz-64, -128, -256, -512, "
                      "60-64ghz-64, -256, xwr1443-64, -256, -512",
                      name);
}
