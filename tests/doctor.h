/* Captures for the doctor's tests, and what it finds in them. */
#ifndef NFSAR_TESTS_DOCTOR_H
#define NFSAR_TESTS_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

#include <nfsar/doctor.h>
#include <nfsar/simulation.h>

enum scan { PLANE, UNEVEN, HAND, TABLE, SCANS };
extern const char *const doctor_scan_name[];
extern const nfsar_scatterer doctor_points[5];
extern const nfsar_scatterer doctor_on_table[3];

/* Where the radar is at pulse i of n: rows of 40, or once round. */
nfsar_pose doctor_pose(enum scan scan, size_t i, size_t n, double row_step);
void doctor_add_noise(nfsar_capture *capture, double snr_db, uint64_t seed);
/* Points seen by 40 pulses in each row (400 on a turntable), 64 frequencies; 100 dB: no noise. */
void doctor_make(enum scan scan, const char *preset, size_t rows, double snr_db,
                 nfsar_capture *capture);
size_t doctor_samples(const nfsar_capture *capture);
/* To whole numbers of a converter that ends at `full`, the strongest sample being `strongest`. */
void doctor_convert(nfsar_capture *capture, double strongest, double full);

/* What was found last. */
extern nfsar_doctor_report doctor_report;
void doctor_examine(const nfsar_capture *capture, const nfsar_doctor_options *options);
const nfsar_finding *doctor_finding(enum nfsar_fault fault);
/* Nothing is wrong but `fault`, which says `text`; NFSAR_FAULT_NONE: nothing at all. */
void doctor_assert(const nfsar_capture *capture, enum nfsar_fault fault, const char *text,
                   const char *of);

#endif
