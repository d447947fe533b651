/* `nfsar doctor` with each thing missing, by its name. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/cli/doctor.h"
#include "tests/radar/emulated_radar.h"

static void missing_things_are_named(void **state) {
    (void)state;
    write_session("none.yaml", (struct change){.host = "10.213.77.30", .card = "10.213.77.180"});
    json_t *object = examine(1, "none.yaml", "--lvds");
    assert_finds(object, "session", "ok", "none.yaml", "");
    assert_finds(object, "network address", "wrong", "has the address 10.213.77.30",
                 "sudo ip addr add 10.213.77.30/24 dev ");
    assert_finds(object, "network link", "unknown", "", "");
    assert_finds(object, "command port", "unknown", "the address is missing", "");
    assert_finds(object, "capture card", "unknown", "not asked", "");
    assert_finds(object, "hub's port", "wrong", "hub: No such file", "plug it in");
    assert_finds(object, "hub", "unknown", "see its port", "");
    assert_finds(object, "radar", "unknown", "behind the hub", "radar.port");
    assert_finds(object, "disk space", "ok", "GB are free", "");
    json_decref(object);
}

static void silent_things_are_named(void **state) {
    (void)state;
    struct emulated_radar mute = {.silent = true};
    emulated_radar_begin(&mute);
    write_session("mute.yaml", (struct change){.radar_port = mute.path, .hub_port = "/dev/full"});
    json_t *object = examine(1, "mute.yaml", "");
    assert_finds(object, "capture card", "wrong", card, "switch it on (5 V)");
    assert_finds(object, "hub's port", "ok", "/dev/full", "");
    assert_finds(object, "hub", "wrong", "/dev/full: is not a serial port", "powered and flashed");
    assert_finds(object, "radar's port", "ok", mute.path, "");
    assert_finds(object, "radar", "wrong", "shows no prompt", "SOP jumpers");
    json_decref(object);
    emulated_radar_end(&mute);
}

static void a_radar_with_its_own_port_answers(void **state) {
    (void)state;
    struct emulated_radar radar = {.note = "mmWave SDK Version: 01.02.00.05\n\r"};
    emulated_radar_begin(&radar);
    write_session("own.yaml", (struct change){.radar_port = radar.path});
    json_t *object = examine(1, "own.yaml", "");
    assert_finds(object, "radar", "ok", "mmWave SDK Version: 01.02.00.05", "");
    json_decref(object);
    emulated_radar_end(&radar);
    assert_string_equal(radar.heard, "version\n");
    write_session("own.yaml", (struct change){.radar_port = test_path("own.yaml")});
    object = examine(1, "own.yaml", "");
    assert_finds(object, "radar's port", "wrong", "is no serial port", "/dev/ttyUSB0");
    json_decref(object);
}

/* The program that holds a port is this one. */
static void a_held_port_is_named(void **state) {
    (void)state;
    char name[64];
    struct sockaddr_in own = {.sin_family = AF_INET, .sin_port = htons(4096)};
    assert_int_equal(inet_pton(AF_INET, host, &own.sin_addr), 1);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&own, sizeof own), 0);
    write_session("held.yaml", (struct change){0});
    json_t *object = examine(1, "held.yaml", "");
    snprintf(name, sizeof name, "held by test_cli_doctor (process %ld)", (long)getpid());
    assert_finds(object, "command port", "wrong", name, "sudo ss -ulpn");
    assert_finds(object, "sample port", "ok", "is free", "");
    assert_finds(object, "capture card", "unknown", "its way is not free", "");
    json_decref(object);
    close(fd);
}

static void wrong_sessions_are_named(void **state) {
    (void)state;
    static const char headers[] = "lvdsStreamCfg -1 1 1 0\n";
    char text[1024];
    test_write_file("broken.yaml", "radar: 7\n", 9);
    json_t *object = examine(1, "broken.yaml", "");
    assert_finds(object, "session", "wrong", "broken.yaml", "correct the file");
    assert_finds(object, "network address", strstr(output, "has 192.168.33.30") ? "ok" : "wrong",
                 "192.168.33.30", "");
    json_decref(object);
    snprintf(text, sizeof text, "%s%s", headers, cfg);
    test_write_file("headers.cfg", text, strlen(text));
    write_session("headers.yaml", (struct change){.cfg = "headers.cfg"});
    object = examine(1, "headers.yaml", "");
    assert_finds(object, "plan", "wrong", "headers.cfg: line 1: lvdsStreamCfg", "--dry-run");
    json_decref(object);
    object = examine(1, "headers.yaml", "-o /nowhere/at/all");
    assert_finds(object, "disk space", "wrong", "/nowhere/at/all: No such file", "--output");
    assert_finds(object, "disk speed", "wrong", "/nowhere/at/all: No such file", "--output");
    json_decref(object);
}

/* ---- a network of its own -------------------------------------------------------------------- */

/* The findings in a network that the words of a shell make: a pair of cards v0 and v1. NULL: this
 * computer does not let one. */
static json_t *examine_network(const char *words) {
    char line[4096];
    const int status = system("command -v ip >/dev/null && unshare -rnm true 2>/dev/null");
    if (status != 0) {
        return NULL;
    }
    snprintf(
        line, sizeof line,
        "unshare -rnm sh -c \"mount -t sysfs sysfs /sys && ip link set lo up && ip link add v0 "
        "type veth peer name v1 && %s && '%s' doctor -o '%s' --json\" 2>/dev/null",
        words, getenv("NFSAR_COMMAND"), test_folder());
    FILE *pipe = popen(line, "r");
    assert_non_null(pipe);
    const size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = '\0';
    pclose(pipe);
    return json_loads(output, 0, NULL);
}

static void networks_are_judged(void **state) {
    (void)state;
    static const struct {
        const char *words, *check, *verdict, *part, *fix;
    } cases[] = {
        {"true", "network address", "wrong", "has the address 192.168.33.30",
         "sudo ip addr add 192.168.33.30/24 dev "},
        {"ip addr add 192.168.33.30/24 dev v0", "network link", "wrong", "v0 is switched off",
         "sudo ip link set dev v0 up"},
        {"ip addr add 192.168.33.30/24 dev v0 && ip link set v0 up", "network link", "wrong",
         "v0 has no link", "plug the cable in"},
        {"ip addr add 192.168.33.30/32 dev v0 && ip link set v0 up && ip link set v1 up",
         "network address", "wrong", "the card's address 192.168.33.180 is not in its network",
         "sudo ip route add 192.168.33.180 dev v0"},
        {"ip addr add 192.168.33.30/24 dev v0 && ip link set v0 up && ip link set v1 up",
         "network link", "ok", "v0 ", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        json_t *object = examine_network(cases[i].words);
        if (object == NULL) {
            print_message("no network of one's own (unshare -rnm, ip): skipped\n");
            skip();
        }
        assert_finds(object, cases[i].check, cases[i].verdict, cases[i].part, cases[i].fix);
        json_decref(object);
    }
}

static void usage_is_checked(void **state) {
    (void)state;
    assert_int_equal(test_command(output, sizeof output, "doctor session.yaml"), 2);
    assert_int_equal(test_command(output, sizeof output, "doctor --help"), 0);
    assert_contains(output, "--rig SESSION.yaml");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_things_are_named),
        cmocka_unit_test(silent_things_are_named),
        cmocka_unit_test(a_radar_with_its_own_port_answers),
        cmocka_unit_test(a_held_port_is_named),
        cmocka_unit_test(wrong_sessions_are_named),
        cmocka_unit_test(networks_are_judged),
        cmocka_unit_test(usage_is_checked),
    };
    begin();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
