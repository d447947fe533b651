#include "icm42688_model.h"

#include <string.h>

enum { STATUS_RESET_DONE = 0x10, STATUS_WATERMARK = 0x04, STATUS_FULL = 0x02, PACKET = 20 };

static bool transfer(void *context, const uint8_t *out, uint8_t *in, size_t n);

void icm42688_model_power_up(struct icm42688_model *model) {
    memset(model->registers, 0, sizeof model->registers);
    model->registers[0][0x4C] = 0x30;
    model->registers[0][0x4F] = 0x06;
    model->registers[0][0x50] = 0x06;
    model->registers[0][0x54] = 0x23;
    model->registers[0][0x64] = 0x10;
    model->registers[0][0x65] = 0x10;
    model->registers[0][0x75] = model->identity;
    model->registers[1][0x0B] = 0xA0;
    model->registers[1][0x0C] = 0x0D;
    model->registers[1][0x0D] = 0xAA;
    model->registers[1][0x0E] = 0x80;
    model->bank = 0;
    model->started_ns = 0;
    model->fifo_bytes = 0;
    model->lost = 0;
    model->status = STATUS_RESET_DONE;
}

void icm42688_model_init(struct icm42688_model *model) {
    memset(model, 0, sizeof *model);
    model->identity = 0x47;
    model->header = 0x78;
    model->period_ps = 1000000000;
    model->ticks_per_1024 = 960; /* 32/30 us */
    model->spi = (struct spi_device){transfer, model};
    icm42688_model_power_up(model);
}

uint64_t icm42688_model_time(const struct icm42688_model *model, uint64_t k) {
    return model->started_ns + (k + 1) * (uint64_t)model->period_ps / 1000;
}

static void put20(uint8_t *packet, int axis, bool is_rate, int32_t value) {
    uint8_t *high = packet + (is_rate ? 7 : 1) + 2 * axis;
    high[0] = (uint8_t)((uint32_t)value >> 12);
    high[1] = (uint8_t)((uint32_t)value >> 4);
    packet[17 + axis] |= (uint8_t)(((uint32_t)value & 15) << (is_rate ? 0 : 4));
}

static void make(const struct icm42688_model *model, uint64_t k, uint8_t packet[PACKET]) {
    memset(packet, 0, PACKET);
    packet[0] = model->header;
    bool started = (k + 1) * (uint64_t)model->period_ps / 1000 > 45000000;
    for (int axis = 0; axis < 3; ++axis) {
        put20(packet, axis, true, started ? 0 : -524288);
    }
    put20(packet, 0, false, (int32_t)(k % 30000) * 4);
    put20(packet, 1, false, model->saturates ? -524288 : 0);
    put20(packet, 2, false, 32768); /* 1 g */
    if (started) {
        put20(packet, 0, true, model->saturates ? 524286 : 262 * 90); /* 90 degrees/s */
        put20(packet, 1, true, -262 * 180);
    }
    packet[13] = (uint8_t)(model->temperature_raw >> 8);
    packet[14] = (uint8_t)model->temperature_raw;
    uint64_t us = (k + 1) * 1000; /* in its own clock */
    uint64_t ticks = us * model->ticks_per_1024 / 1024;
    packet[15] = (uint8_t)(ticks >> 8);
    packet[16] = (uint8_t)ticks;
}

static void push(struct icm42688_model *model, uint64_t k) {
    const uint8_t *r = model->registers[0];
    if (r[0x16] >> 6 != 1 || (r[0x5F] & 0x13) != 0x13) {
        return;
    }
    if (model->skip > 0) {
        --model->skip;
        return;
    }
    if (model->fifo_bytes + PACKET > MODEL_FIFO) { /* stream: the oldest goes */
        model->fifo_bytes -= PACKET;
        memmove(model->fifo, model->fifo + PACKET, model->fifo_bytes);
        ++model->lost;
        model->status |= STATUS_FULL;
    }
    make(model, k, model->fifo + model->fifo_bytes);
    model->fifo_bytes += PACKET;
    size_t mark = r[0x60] + 256u * (r[0x61] & 15);
    if (model->fifo_bytes == mark) {
        model->status |= STATUS_WATERMARK;
        if ((r[0x65] & 0x04) && !model->no_pin && model->n_edges < MODEL_EDGES) {
            model->edges_ns[model->n_edges++] = icm42688_model_time(model, k);
        }
    }
}

void icm42688_model_advance(struct icm42688_model *model, uint64_t now_ns) {
    model->now_ns = now_ns;
    if (model->reset_done_ns != 0 && now_ns >= model->reset_done_ns) {
        model->reset_done_ns = 0;
    }
    while (model->started_ns != 0 && icm42688_model_time(model, model->samples) <= now_ns) {
        push(model, model->samples++);
    }
}

static void write_register(struct icm42688_model *model, uint8_t at, uint8_t value) {
    if (at == 0x76) {
        model->bank = value & 7;
        return;
    }
    if (model->bank > 4 || (model->bank == 1 && model->ignores_writes_of_bank_1)) {
        return;
    }
    if (model->bank == 0 && at == 0x11 && (value & 1)) {
        icm42688_model_power_up(model);
        model->reset_done_ns = model->now_ns + 1000000;
        return;
    }
    if (model->bank == 0 && at == 0x4B) {
        if (value & 0x02) {
            model->fifo_bytes = 0;
            model->lost = 0;
        }
        return;
    }
    if (model->bank == 0 && at == 0x4E && value == 0x0F && model->started_ns == 0) {
        model->started_ns = model->now_ns;
        model->samples = 0;
    }
    model->registers[model->bank][at] = value;
}

static uint8_t read_fifo(struct icm42688_model *model) {
    if (model->fifo_bytes == 0) {
        return 0xFF;
    }
    uint8_t byte = model->fifo[0];
    --model->fifo_bytes;
    memmove(model->fifo, model->fifo + 1, model->fifo_bytes);
    return byte;
}

static uint8_t read_register(struct icm42688_model *model, uint8_t at) {
    if (model->bank != 0 || model->reset_done_ns != 0) {
        return model->bank > 4 || model->reset_done_ns != 0 ? 0 : model->registers[model->bank][at];
    }
    uint8_t status = model->status;
    switch (at) {
    case 0x2D:
        model->status = 0;
        return status;
    case 0x2E:
        return (uint8_t)(model->fifo_bytes >> 8);
    case 0x2F:
        return (uint8_t)model->fifo_bytes;
    case 0x30:
        return read_fifo(model);
    case 0x6C:
        return (uint8_t)model->lost;
    case 0x6D:
        return (uint8_t)(model->lost >> 8);
    default:
        return model->registers[0][at];
    }
}

static bool transfer(void *context, const uint8_t *out, uint8_t *in, size_t n) {
    struct icm42688_model *model = context;
    ++model->transfers;
    if (model->fault == MODEL_BUS_FAILS || (model->fails_in > 0 && --model->fails_in == 0)) {
        return false;
    }
    if (model->fault != MODEL_FINE) {
        if (in != NULL) {
            memset(in, model->fault == MODEL_READS_ONES ? 0xFF : 0, n);
        }
        return true;
    }
    uint8_t at = out[0] & 0x7F;
    if (!(out[0] & 0x80)) {
        for (size_t i = 1; i < n; ++i) {
            write_register(model, at, out[i]);
            at = (uint8_t)((at + 1) & 0x7F);
        }
        return true;
    }
    in[0] = 0;
    bool is_fifo = at == 0x30 && model->bank == 0;
    static uint8_t before[MODEL_FIFO];
    size_t bytes_before = model->fifo_bytes;
    memcpy(before, model->fifo, bytes_before);
    for (size_t i = 1; i < n; ++i) {
        in[i] = read_register(model, at);
        at = is_fifo ? at : (uint8_t)((at + 1) & 0x7F);
    }
    if (is_fifo && model->fifo_bytes > 0 && !(model->registers[0][0x5F] & 0x40)) {
        memcpy(model->fifo, before, bytes_before); /* FIFO_RESUME_PARTIAL_RD: section 14.45 */
        model->fifo_bytes = bytes_before;
    }
    return true;
}
