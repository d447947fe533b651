/** @file
 * What is wrong with a capture: each check with its verdict, how sure that is, and what to do.
 *
 * Each test is set so that a sound capture fails it with a probability of at most
 * NFSAR_DOCTOR_FALSE_ALARM; what is read off (a flag, a sample that is zero) is certain.
 */
#ifndef NFSAR_DOCTOR_H
#define NFSAR_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include <nfsar/capture.h>
#include <nfsar/progress.h>
#include <nfsar/status.h>

/** Largest probability with which a sound capture is found to have one of the faults that are
 * tested for. */
#define NFSAR_DOCTOR_FALSE_ALARM 1e-6

/** A fault, by its name. */
enum nfsar_fault {
    NFSAR_FAULT_NONE = 0,
    NFSAR_FAULT_NOT_FINITE,      /**< a sample is NaN, infinite or beyond 1e15 */
    NFSAR_FAULT_CLIPPING,        /**< the converter's full scale was exceeded */
    NFSAR_FAULT_SAMPLES_MISSING, /**< flagged, or zeros where an echo should be */
    NFSAR_FAULT_CHANNEL_DEAD,    /**< a channel has no echo where the others have */
    NFSAR_FAULT_CHANNEL_WEAK,    /**< a channel's echo is 10 dB or more below the others' */
    NFSAR_FAULT_POSE_UNITS,      /**< positions are in millimetres or centimetres */
    NFSAR_FAULT_POSE_JUMP,       /**< single positions lie far from their neighbours */
    NFSAR_FAULT_POSE_REPEATED,   /**< positions stand still while the echo moves */
    NFSAR_FAULT_POSE_OUTSIDE,    /**< pulses outside the track of poses, or in its gaps */
    NFSAR_FAULT_NO_APERTURE,     /**< the radar never moves */
    NFSAR_FAULT_STEP_COARSE,     /**< phase centres too far apart for what they look at */
    NFSAR_FAULT_NO_ECHO,         /**< nothing but noise */
    NFSAR_FAULT_GATE_EMPTY,      /**< no target above noise in the range gate */
    NFSAR_FAULT_LEAKAGE,         /**< a constant at short range is stronger than the targets */
    NFSAR_FAULT_REAL_SAMPLES,    /**< I or Q is zero throughout: echoes are there mirrored too */
    NFSAR_FAULT_IQ_SWAPPED,      /**< phases run backwards: I and Q swapped, or the sign of exp() */
    NFSAR_FAULT_RANGE_BACKWARDS, /**< frequencies run the other way than the samples */
    NFSAR_FAULT_IQ_IMBALANCE,    /**< I and Q are not alike: echoes have images */
    NFSAR_FAULT_CHANNELS_UNCALIBRATED, /**< phases or gains of channels do not fit each other */
    NFSAR_FAULT_CHANNELS_ORDER,        /**< channels are in another order than the file says */
    NFSAR_FAULT_RANGE_OFFSET,          /**< wavefronts focus at another range than the echo's */
    NFSAR_FAULT_COUNT
};

/** What a check answers. */
enum nfsar_doctor_verdict {
    NFSAR_DOCTOR_OK = 0,
    NFSAR_DOCTOR_WRONG,
    NFSAR_DOCTOR_UNKNOWN /**< could not be looked at, or is no fault by itself */
};

/** How sure a verdict is. */
enum nfsar_doctor_certainty {
    NFSAR_DOCTOR_CERTAIN = 0, /**< read off */
    NFSAR_DOCTOR_TESTED,      /**< a test that a sound capture fails with false_alarm at most */
    NFSAR_DOCTOR_LIKELY       /**< the better of two explanations */
};

/** One finding. */
typedef struct nfsar_finding {
    const char *check;                     /**< what was looked at, "clipping"; static */
    enum nfsar_doctor_verdict verdict;     /**< of it */
    enum nfsar_fault fault;                /**< NFSAR_FAULT_NONE unless wrong */
    enum nfsar_doctor_certainty certainty; /**< how sure */
    char text[320];                        /**< what and where, one line */
    char fix[320];                         /**< what to do, one line; empty for nothing */
} nfsar_finding;

/** All findings, in the order in which they were made. */
typedef struct nfsar_doctor_report {
    nfsar_finding finding[48]; /**< the first n are valid */
    size_t n;                  /**< how many there are */
    size_t verdicts[3];        /**< how many of each enum nfsar_doctor_verdict */
    bool in_rows; /**< a planar raster in rows, whose steps, skew and backlash nfsar_path_measure()
                       tells and no check looks at */
} nfsar_doctor_report;

/** What to look for. */
typedef struct nfsar_doctor_options {
    bool has_gate;  /**< a range gate is given */
    double gate[2]; /**< its limits, metres, ascending: where the target is to be */
    int threads;    /**< 0 for all processors */
} nfsar_doctor_options;

/** Examine a capture. The samples are read once from end to end, and some of them again.
 * @param capture geometry and what is known of it; its echo is not looked at.
 * @param source  its samples as recorded, before calibration, which is applied where it matters.
 * @param options NULL for none.
 * @return NFSAR_OK whatever was found; errors of the source and of memory. NFSAR_ERROR_ARGUMENT for
 *         a gate that is none and for a capture that nfsar gate made, NFSAR_ERROR_FORMAT for what
 * nfsar_capture_check() refuses. */
enum nfsar_status nfsar_doctor_examine(const nfsar_capture *capture,
                                       const nfsar_echo_source *source,
                                       const nfsar_doctor_options *options,
                                       nfsar_doctor_report *report, const nfsar_progress *progress,
                                       nfsar_error *error);

/** A fault's name for programs, "iq-swapped". Static. */
const char *nfsar_fault_name(enum nfsar_fault fault);

#endif
