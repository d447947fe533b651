/* The socket that stands for the hub's serial line: one client, the next one after it, a slow one.
 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/rig/line.h"
#include "tests/support.h"

static struct rig_line line;

static int dial(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, line.path);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    return client;
}

static int begin(void **state) {
    (void)state;
    nfsar_error error;
    assert_ok(rig_line_open(&line, test_path("hub"), &error), error);
    return 0;
}

static int end(void **state) {
    (void)state;
    rig_line_close(&line);
    assert_int_not_equal(access(test_path("hub"), F_OK), 0);
    return 0;
}

static void one_client_after_the_other(void **state) {
    (void)state;
    uint8_t bytes[16];
    rig_line_write(&line, (const uint8_t *)"nobody", 6); /* lost */
    for (int i = 0; i < 3; i++) {
        const int client = dial();
        assert_int_equal(write(client, "abc", 3), 3);
        assert_int_equal(rig_line_read(&line, bytes, sizeof bytes), 3);
        assert_memory_equal(bytes, "abc", 3);
        rig_line_write(&line, (const uint8_t *)"hello", 5);
        assert_int_equal(read(client, bytes, sizeof bytes), 5);
        assert_memory_equal(bytes, "hello", 5);
        close(client);
        assert_int_equal(rig_line_read(&line, bytes, sizeof bytes), 0); /* it is gone */
    }
}

/* Pieces are lost whole, and what was taken comes in order. */
static void a_slow_client_loses_pieces(void **state) {
    (void)state;
    uint8_t piece[100], got[100];
    const int client = dial();
    rig_line_read(&line, got, sizeof got);
    const unsigned pieces = 20000; /* more than socket and buffer hold */
    for (unsigned i = 0; i < pieces; i++) {
        memset(piece, (int)(i % 251), sizeof piece);
        rig_line_write(&line, piece, sizeof piece);
    }
    unsigned came = 0;
    for (;; came++) {
        size_t n = 0;
        ssize_t some = 1;
        while (n < sizeof got && some > 0) {
            uint8_t none;
            rig_line_read(&line, &none, sizeof none); /* sends what waits */
            some = recv(client, got + n, sizeof got - n, MSG_DONTWAIT);
            n += some > 0 ? (size_t)some : 0;
        }
        if (n == 0) {
            break;
        }
        assert_int_equal(n, sizeof got);
        memset(piece, (int)(came % 251), sizeof piece); /* the first ones, none between them lost */
        assert_memory_equal(got, piece, sizeof got);
    }
    assert_true(came > RIG_LINE_BYTES / sizeof piece && came < pieces);
    /* The line goes on. */
    rig_line_write(&line, (const uint8_t *)"hello", 5);
    assert_int_equal(recv(client, got, sizeof got, MSG_DONTWAIT), 5);
    close(client);
}

/* The second and third of four triggers are lost, whatever else comes and however it is cut. */
static void records_of_triggers_are_dropped(void **state) {
    (void)state;
    static const uint8_t kinds[] = {NFSAR_WIRE_TRIGGER, NFSAR_WIRE_STATUS,  NFSAR_WIRE_TRIGGER,
                                    NFSAR_WIRE_AXIS,    NFSAR_WIRE_TRIGGER, NFSAR_WIRE_TRIGGER};
    static const uint32_t left[] = {0, 1, 3, 5};
    uint8_t bytes[6 * NFSAR_WIRE_FRAME_MAX], got[6 * NFSAR_WIRE_FRAME_MAX];
    size_t n = 0;
    for (uint32_t i = 0; i < 6; i++) {
        const struct nfsar_wire_header header = {.kind = kinds[i], .sequence = i};
        n += nfsar_wire_encode(bytes + n, &header, (const uint8_t *)"payload", 7);
    }
    const int client = dial();
    rig_line_read(&line, got, sizeof got);
    rig_line_drops(&line, &(struct rig_faults){.drop_record = 2, .drop_records = 2});
    for (size_t i = 0; i < n; i++) {
        rig_line_write(&line, bytes + i, 1);
    }
    const ssize_t came = recv(client, got, sizeof got, MSG_DONTWAIT);
    struct nfsar_wire_reader reader = {0};
    struct nfsar_wire_message message;
    size_t records = 0;
    for (ssize_t i = 0; i < came; i++) {
        if (nfsar_wire_read(&reader, got[i], &message)) {
            assert_true(records < 4);
            assert_int_equal(message.header.sequence, left[records]);
            records++;
        }
    }
    assert_int_equal(records, 4);
    assert_int_equal(reader.bad, 0);
    close(client);
}

static void a_name_too_long_is_refused(void **state) {
    (void)state;
    struct rig_line other;
    char path[200];
    nfsar_error error;
    memset(path, 'x', sizeof path);
    path[sizeof path - 1] = '\0';
    assert_int_equal(rig_line_open(&other, path, &error), NFSAR_ERROR_ARGUMENT);
    assert_int_equal(rig_line_open(&other, "/no/such/folder/hub", &error), NFSAR_ERROR_FILE);
    assert_contains(error.message, "/no/such/folder/hub: No such file");
    rig_line_close(&other);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_client_after_the_other, begin, end),
        cmocka_unit_test_setup_teardown(a_slow_client_loses_pieces, begin, end),
        cmocka_unit_test_setup_teardown(records_of_triggers_are_dropped, begin, end),
        cmocka_unit_test(a_name_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
