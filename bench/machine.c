#include "bench/bench.h"
#include "bench/openblas.h"

#include <complex.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fftw3.h>

#include <nfsar/version.h>

/* The value of a key of /proc/cpuinfo, for the first processor. */
static void cpuinfo(const char *key, char *value, size_t size) {
    char line[512];
    FILE *file = fopen("/proc/cpuinfo", "r");
    value[0] = '\0';
    while (file != NULL && value[0] == '\0' && fgets(line, sizeof line, file) != NULL) {
        char *colon = strchr(line, ':');
        size_t length = strlen(key);
        if (colon != NULL && strncmp(line, key, length) == 0 &&
            (line[length] == '\t' || line[length] == ' ' || line[length] == ':')) {
            snprintf(value, size, "%s", colon + 1 + strspn(colon + 1, " "));
            value[strcspn(value, "\n")] = '\0';
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

static void find_processor(struct bench_machine *machine) {
    char name[80], family[8], model[8];
    cpuinfo("model name", name, sizeof name);
    cpuinfo("cpu family", family, sizeof family);
    cpuinfo("model", model, sizeof model);
    if (family[0] != '\0') {
        /* Virtual machines hide the rest of the name. */
        snprintf(machine->processor, sizeof machine->processor, "%s (family %s, model %s)", name,
                 family, model);
    } else {
        snprintf(machine->processor, sizeof machine->processor, "%s",
                 name[0] != '\0' ? name : "unknown");
    }
}

static void find_instructions(struct bench_machine *machine) {
    machine->instructions[0] = '\0';
#if defined(__x86_64__)
    const struct {
        const char *name;
        int has;
    } all[] = {
        {"sse4.2", __builtin_cpu_supports("sse4.2")},
        {"avx", __builtin_cpu_supports("avx")},
        {"avx2", __builtin_cpu_supports("avx2")},
        {"fma", __builtin_cpu_supports("fma")},
        {"avx512f", __builtin_cpu_supports("avx512f")},
        {"avx512vl", __builtin_cpu_supports("avx512vl")},
        {"avx512bw", __builtin_cpu_supports("avx512bw")},
        {"avx512dq", __builtin_cpu_supports("avx512dq")},
        {"avx512vbmi", __builtin_cpu_supports("avx512vbmi")},
    };
    size_t used = 0;
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        if (all[i].has) {
            used +=
                (size_t)snprintf(machine->instructions + used, sizeof machine->instructions - used,
                                 "%s%s", used > 0 ? " " : "", all[i].name);
        }
    }
#endif
}

/* Version, and the kernels that it took for this machine. */
static void name_openblas(struct bench_machine *machine) {
    struct openblas blas;
    if (!openblas_open(&blas)) {
        snprintf(machine->openblas, sizeof machine->openblas, "no OpenBLAS");
        return;
    }
    char config[128];
    snprintf(config, sizeof config, "%s", blas.config());
    /* "OpenBLAS 0.3.21 ..." */
    char *second = strchr(config, ' ');
    char *third = second != NULL ? strchr(second + 1, ' ') : NULL;
    if (third != NULL) {
        *third = '\0';
    }
    snprintf(machine->openblas, sizeof machine->openblas, "%s, %s kernels", config,
             blas.corename());
}

static void find_software(struct bench_machine *machine) {
    const char *sanitized = "";
#if defined(NFSAR_SANITIZED)
    sanitized = ", with sanitizers: the times mean nothing";
#elif !defined(__OPTIMIZE__)
    sanitized = ", not optimised: the times mean nothing";
#endif
#if defined(__clang__)
    const char *compiler = "";
#else
    const char *compiler = "gcc ";
#endif
    snprintf(machine->build, sizeof machine->build, "nfsar %s, %s%s%s", NFSAR_VERSION, compiler,
             __VERSION__, sanitized);
    snprintf(machine->fftw, sizeof machine->fftw, "%s", fftwf_version);
    name_openblas(machine);
    const char *coretype = getenv("OPENBLAS_CORETYPE");
    snprintf(machine->coretype, sizeof machine->coretype, "%s", coretype != NULL ? coretype : "");
}

/* Seconds that processors of this machine were busy since it started, time stolen from it by its
 * host included; NAN when that is not known. */
static double busy_seconds(void) {
    double user = 0.0, nice = 0.0, system = 0.0, idle, wait, irq = 0.0, soft = 0.0, steal = 0.0;
    FILE *file = fopen("/proc/stat", "r");
    int n = file != NULL ? fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice,
                                  &system, &idle, &wait, &irq, &soft, &steal)
                         : 0;
    if (file != NULL) {
        fclose(file);
    }
    return n == 8 ? (user + nice + system + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK)
                  : (double)NAN;
}

static double own_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           1e-6 * (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

void bench_machine_begin(struct bench_machine *machine) {
    memset(machine, 0, sizeof *machine);
    find_processor(machine);
    find_instructions(machine);
    find_software(machine);
    machine->processors = (int)sysconf(_SC_NPROCESSORS_ONLN);
    machine->memory_gib = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE) / 0x1p30;
    machine->busy = busy_seconds();
    machine->own = own_seconds();
    machine->start = bench_clock();
    machine->others = NAN;
}

void bench_machine_end(struct bench_machine *machine) {
    double others = busy_seconds() - machine->busy - (own_seconds() - machine->own);
    double all = (bench_clock() - machine->start) * (double)machine->processors;
    /* The kernel counts in steps of 10 ms. */
    if (all > 0.1) {
        machine->others = fmin(1.0, fmax(0.0, others) / all);
    }
}
