/* The input is what the device answers: the bytes of each transfer are taken from it in order, with
 * a byte before them that says whether the transfer fails, whether the model answers instead, and
 * how much time goes by. */
#include "serial.h"

#include "firmware/drivers/icm42688.h"
#include "tests/firmware/icm42688_model.h"

const uint8_t fuzz_seed[] = {1,    1, 1, 1, 1, 1,    1,    1, 1, 1, 1, 1, 1, 1,   1, 1,
                             1,    1, 1, 0, 4, 0x00, 0xA0, 0, 1, 2, 3, 4, 5, 6,   7, 8,
                             0x02, 1, 9, 0, 1, 255,  255,  1, 1, 1, 1, 2, 0, 0x78};
const size_t fuzz_seed_size = sizeof fuzz_seed;

struct script {
    const uint8_t *data;
    size_t size, at;
    struct icm42688_model model;
};

static uint8_t next(struct script *script) {
    return script->at < script->size ? script->data[script->at++] : 1;
}

static bool transfer(void *context, const uint8_t *out, uint8_t *in, size_t n) {
    struct script *script = context;
    uint8_t how = next(script);
    if (how % 64 == 63) {
        return false;
    }
    bool done = script->model.spi.transfer(&script->model, out, in, n);
    for (size_t i = 0; in != NULL && how % 2 == 0 && i < n; ++i) {
        in[i] = next(script);
    }
    return done;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct icm42688 icm;
    static struct script script;
    script.data = data;
    script.size = size;
    script.at = 0;
    icm42688_model_init(&script.model);
    size_t samples = 0;
    struct spi_device device = {transfer, &script};
    struct sensor_bus bus = {.spi = &device, .count_hz = FAKE_HZ};
    struct sensor_sink sink = {fuzz_check, &samples};
    uint64_t now_ns = 1000000000;
    sensor_start(&icm42688_driver, &icm.sensor, sizeof icm, &bus, now_ns);
    /* At least a transfer each second poll, so this ends; and it runs on after the input's end. */
    for (int i = 0; i < 400; ++i) {
        uint8_t how = next(&script);
        now_ns += 500000u * (1 + how % 64);
        uint32_t count = (uint32_t)(now_ns * (FAKE_HZ / 1000000) / 1000);
        icm42688_model_advance(&script.model, now_ns);
        if (script.model.n_edges > 0 || how >= 192) {
            sensor_edge(&icm42688_driver, &icm.sensor, count - how * 300u);
            script.model.n_edges = 0;
        }
        sensor_poll(&icm42688_driver, &icm.sensor, &bus, now_ns, count, &sink);
        fuzz_require(icm.sensor.state <= SENSOR_SILENT);
    }
    return 0;
}
