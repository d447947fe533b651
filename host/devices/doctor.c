#include "host/devices/doctor.h"

#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/devices/doctor_check.h"
#include "host/files/utf8.h"

const char *doctor_verdict_name(enum doctor_verdict verdict) {
    static const char *const names[DOCTOR_VERDICTS] = {"ok", "wrong", "unknown"};
    return verdict < DOCTOR_VERDICTS ? names[verdict] : "";
}

void doctor_say(struct doctor *doctor, const char *check, enum doctor_verdict verdict,
                const char *fix, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    utf8_clean(text);
    const struct doctor_finding finding = {check, verdict, text, fix != NULL ? fix : ""};
    doctor->found[verdict]++;
    doctor->options->tell(doctor->options->context, &finding);
}

bool doctor_cancelled(const struct doctor *doctor) {
    return !doctor->stopping && doctor->options->cancelled != NULL &&
           doctor->options->cancelled(doctor->options->context);
}

long long doctor_number(const char *path) {
    FILE *file = fopen(path, "re");
    long long value = -1;
    if (file != NULL) {
        if (fscanf(file, "%lld", &value) != 1) {
            value = -1;
        }
        fclose(file);
    }
    return value;
}

/* ---- who holds it ---------------------------------------------------------------------------- */

/* Does a process have a link of this text among its files? -1: its files cannot be seen. */
static int holds(const char *pid, const char *link) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%.16s/fd", pid);
    DIR *folder = opendir(path);
    if (folder == NULL) {
        return -1;
    }
    int found = 0;
    for (struct dirent *entry; found == 0 && (entry = readdir(folder)) != NULL;) {
        char target[512];
        const ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof target - 1);
        if (n > 0) {
            target[n] = '\0';
            found = strcmp(target, link) == 0;
        }
    }
    closedir(folder);
    return found;
}

static void name_process(const char *pid, char text[96]) {
    char path[64], name[32] = "?";
    snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
    FILE *file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%31[^\n]", name) != 1) {
            name[0] = '?';
        }
        fclose(file);
    }
    snprintf(text, 96, "%s (process %.16s)", name, pid);
}

const char *doctor_holder(const char *link, char text[96]) {
    DIR *folder = opendir("/proc");
    bool hidden = false;
    text[0] = '\0';
    for (struct dirent *entry; folder != NULL && (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] < '1' || entry->d_name[0] > '9' ||
            strtol(entry->d_name, NULL, 10) == (long)getpid()) {
            continue;
        }
        const int held = holds(entry->d_name, link);
        hidden = hidden || held < 0;
        if (held > 0) {
            name_process(entry->d_name, text);
            break;
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (text[0] == '\0' && hidden) {
        snprintf(text, 96, "another user's program");
    }
    return text;
}

/* ---- the session ----------------------------------------------------------------------------- */

static void tell_problem(void *context, const char *text) {
    doctor_say(context, "plan", DOCTOR_WRONG, "nfsar record SESSION.yaml --dry-run shows the plan",
               "%s", text);
}

/* What stands against recording it, whatever the rig is. */
static void check_plan(struct doctor *doctor) {
    const struct session *session = doctor->session;
    const struct ti_cfg_frame *frame = &session->radar.frame;
    plan_make(session, NULL, &doctor->plan);
    if (plan_check(session, &doctor->plan, tell_problem, doctor) == 0) {
        doctor_say(doctor, "plan", DOCTOR_OK, NULL,
                   "%zu samples, %zu chirp%s, %zu loop%s: %zu bytes a frame, busy for %.4g ms; a "
                   "trigger each %.4g ms",
                   frame->samples, frame->chirps, frame->chirps == 1 ? "" : "s", frame->loops,
                   frame->loops == 1 ? "" : "s", frame->bytes, frame->frame_s * 1e3,
                   doctor->plan.interval_s * 1e3);
    }
}

static void check_session(struct doctor *doctor) {
    const char *path = doctor->options->session;
    nfsar_error error;
    if (path == NULL) {
        doctor_say(doctor, "session", DOCTOR_UNKNOWN,
                   "nfsar doctor --rig SESSION.yaml checks your own; docs/examples/"
                   "session-stage.yaml is one to begin with",
                   "none given: the usual addresses and ports are looked at");
    } else if (session_load(path, &doctor->session, &error) != NFSAR_OK) {
        doctor_say(doctor, "session", DOCTOR_WRONG,
                   "correct the file (docs/recording.md); until then the usual addresses and ports "
                   "are looked at",
                   "%s", error.message);
    } else {
        doctor_say(doctor, "session", DOCTOR_OK, NULL, "%s: %llu triggers%s", path,
                   (unsigned long long)session_triggers(doctor->session),
                   doctor->session->stage != NULL ? ", with a stage" : "");
    }
}

/* What the session says, and the defaults of nfsar/dca1000.h for the rest. */
static void fill_in(struct doctor *doctor) {
    struct nfsar_dca1000_options *card = &doctor->card;
    if (doctor->session != NULL) {
        *card = doctor->session->card;
        doctor->hub_port = doctor->session->hub_port;
        doctor->radar_port = doctor->session->radar.port;
    }
    card->card_address = card->card_address != NULL ? card->card_address : "192.168.33.180";
    card->host_address = card->host_address != NULL ? card->host_address : "192.168.33.30";
    card->config_port = card->config_port != 0 ? card->config_port : 4096;
    card->data_port = card->data_port != 0 ? card->data_port : 4098;
    card->lanes = card->lanes != 0 ? card->lanes : 2;
    card->bits = card->bits != 0 ? card->bits : 16;
    card->receive_bytes = card->receive_bytes != 0 ? card->receive_bytes : (size_t)32 << 20;
}

bool doctor_run(const struct doctor_options *options, size_t found[DOCTOR_VERDICTS]) {
    static void (*const checks[])(struct doctor *) = {doctor_network, doctor_card, doctor_hub,
                                                      doctor_output, doctor_clock};
    struct doctor doctor = {.options = options, .found = found};
    memset(found, 0, DOCTOR_VERDICTS * sizeof *found);
    check_session(&doctor);
    fill_in(&doctor);
    if (doctor.session != NULL) {
        check_plan(&doctor);
    }
    for (size_t i = 0; i < sizeof checks / sizeof checks[0] && !doctor_cancelled(&doctor); i++) {
        checks[i](&doctor);
    }
    session_free(doctor.session);
    return !doctor_cancelled(&doctor);
}
