/* Where recordings go, how fast, and under what date. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "host/devices/doctor_check.h"
#include "host/devices/transport.h"

enum { PIECE = 4 << 20, PIECES = 16, LIMIT_MS = 400 };

/* Bytes a second into a file of the folder, until they are on the disk; negative: errno. The file
 * has no name, so that nothing is left of it whatever happens. */
static double write_rate(const char *folder) {
    int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR)) {
        char name[4096];
        snprintf(name, sizeof name, "%.4000s/nfsar-doctor-XXXXXX", folder);
        fd = mkostemp(name, O_CLOEXEC);
        if (fd >= 0) {
            unlink(name);
        }
    }
    if (fd < 0) {
        return -(double)errno;
    }
    char *piece = malloc(PIECE);
    const uint64_t began = transport_now_ms();
    uint64_t now = began, written = 0;
    int code = piece != NULL ? 0 : ENOMEM;
    if (piece != NULL) {
        memset(piece, 0x5A, PIECE);
    }
    for (int i = 0; code == 0 && i < PIECES && now - began < LIMIT_MS; i++) {
        const ssize_t n = write(fd, piece, PIECE);
        code = n < 0 ? errno : 0;
        written += n > 0 ? (uint64_t)n : 0;
        if (code == 0 && fdatasync(fd) != 0 && errno != EINVAL) {
            code = errno;
        }
        now = transport_now_ms();
    }
    free(piece);
    close(fd);
    return code != 0 ? -(double)code : (double)written * 1e3 / (double)(now - began + 1);
}

static void check_space(struct doctor *doctor, const char *folder) {
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0) {
        doctor_say(doctor, "disk space", DOCTOR_WRONG, "make the folder, or give another: --output",
                   "%s: %s", folder, strerror(errno));
        return;
    }
    const double there = (double)disk.f_bavail * (double)disk.f_frsize;
    const double needed = doctor->session != NULL ? (double)session_triggers(doctor->session) *
                                                        (double)doctor->session->radar.frame.bytes
                                                  : 0.0;
    if (there < 1.1 * needed + 64e6) {
        doctor_say(doctor, "disk space", DOCTOR_WRONG, "free space, or record elsewhere: --output",
                   "%s: %.3g GB are free, a recording needs %.3g GB", folder, there / 1e9,
                   (1.1 * needed + 64e6) / 1e9);
    } else if (needed > 0.0) {
        doctor_say(doctor, "disk space", DOCTOR_OK, NULL,
                   "%s: %.3g GB are free, a recording needs %.3g GB", folder, there / 1e9,
                   needed / 1e9);
    } else {
        doctor_say(doctor, "disk space", DOCTOR_OK, NULL, "%s: %.3g GB are free", folder,
                   there / 1e9);
    }
}

static void check_rate(struct doctor *doctor, const char *folder) {
    const double rate = write_rate(folder);
    const double needed = doctor->session != NULL ? doctor->plan.rate : 0.0;
    if (rate < 0.0) {
        doctor_say(doctor, "disk speed", DOCTOR_WRONG, "a folder that you may write to: --output",
                   "%s: %s", folder, strerror((int)-rate));
    } else if (rate < 1.5 * needed) {
        doctor_say(doctor, "disk speed", DOCTOR_WRONG,
                   "record to a faster disk (--output), or trigger less often",
                   "%s takes %.3g MB/s, the radar sends up to %.3g MB/s", folder, rate / 1e6,
                   needed / 1e6);
    } else if (needed > 0.0) {
        doctor_say(doctor, "disk speed", DOCTOR_OK, NULL,
                   "%s takes %.3g MB/s, the radar sends up to %.3g MB/s", folder, rate / 1e6,
                   needed / 1e6);
    } else {
        doctor_say(doctor, "disk speed", DOCTOR_OK, NULL, "%s takes %.3g MB/s", folder, rate / 1e6);
    }
}

void doctor_output(struct doctor *doctor) {
    const char *folder = doctor->options->output != NULL ? doctor->options->output : ".";
    check_space(doctor, folder);
    check_rate(doctor, folder);
}

/* Triggers and samples are joined by clocks that never step; the date only names the recording. */
void doctor_clock(struct doctor *doctor) {
    enum { A_YEAR_S = 31557600, FIRST_YEAR = 2025 };
    struct timex state = {0};
    const time_t now = time(NULL);
    struct tm date;
    char text[64] = "?";
    if (gmtime_r(&now, &date) != NULL) {
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &date);
    }
    if (now < (time_t)(FIRST_YEAR - 1970) * A_YEAR_S) {
        doctor_say(doctor, "clock", DOCTOR_WRONG, "sudo timedatectl set-ntp true",
                   "this computer's date cannot be: %s", text);
    } else if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0) {
        doctor_say(doctor, "clock", DOCTOR_UNKNOWN,
                   "recordings get the wrong date if it is wrong: sudo timedatectl set-ntp true",
                   "%s, which nothing on the network keeps right", text);
    } else {
        doctor_say(doctor, "clock", DOCTOR_OK, NULL, "%s, kept right by the network", text);
    }
}
