/* What the checks of the doctor share. */
#ifndef NFSAR_HOST_DEVICES_DOCTOR_CHECK_H
#define NFSAR_HOST_DEVICES_DOCTOR_CHECK_H

#include <nfsar/dca1000.h>
#include <nfsar/hub.h>

#include "host/devices/doctor.h"
#include "host/radar/control.h"
#include "host/session/plan.h"
#include "host/session/session.h"

struct doctor {
    const struct doctor_options *options;
    struct session *session;           /* NULL: none, or it cannot be read */
    struct plan plan;                  /* of the session */
    struct nfsar_dca1000_options card; /* without what is left out */
    const char *hub_port, *radar_port; /* NULL: on USB; through the hub */
    char interface[32];                /* that has the host's address; "" for none */
    bool has_address;                  /* the host's is one of this computer's */
    bool ports_free;                   /* of the card's commands and samples */
    bool card_answers;
    size_t *found;
    bool stopping; /* what was started is being stopped: an interrupt is heard after that */
};

/* A finding; fix may be NULL. */
void doctor_say(struct doctor *doctor, const char *check, enum doctor_verdict verdict,
                const char *fix, const char *format, ...) __attribute__((format(printf, 5, 6)));
bool doctor_cancelled(const struct doctor *doctor);

/* The program that has a file open whose link in /proc/PID/fd reads so, "minicom (1234)"; "another
 * user's program" where that cannot be seen, "" for none. */
const char *doctor_holder(const char *link, char text[96]);
/* The number in a file of /proc or /sys; -1 when there is none. */
long long doctor_number(const char *path);

void doctor_network(struct doctor *doctor);
void doctor_card(struct doctor *doctor);
/* A short recording. hub may be NULL where the radar has its own port. */
void doctor_lvds(struct doctor *doctor, nfsar_hub *hub, struct radar_control *radar);
void doctor_hub(struct doctor *doctor); /* and the radar, which is behind it or has its own port */
void doctor_output(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);

#endif
