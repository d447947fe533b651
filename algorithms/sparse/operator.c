#include "algorithms/sparse/operator.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include <nfsar/simulation.h>

#include "algorithms/buffer.h"
#include "algorithms/sparse/vectors.h"

double vectors_peak(const float complex *a, size_t n) {
    double most = 0.0;
    for (size_t i = 0; i < n; i++) {
        double re = (double)crealf(a[i]), im = (double)cimagf(a[i]);
        most = fmax(most, re * re + im * im);
    }
    return sqrt(most);
}

static void draw(nfsar_random *random, float complex *to, size_t n) {
    for (size_t i = 0; i < n; i++) {
        to[i] = (float complex)nfsar_random_complex_normal(random);
    }
}

static enum nfsar_status no_memory(const struct linear_operator *op, nfsar_error *error) {
    return nfsar_fail(error, NFSAR_ERROR_MEMORY, "out of memory for %zu voxels and %zu samples",
                      op->n_image, op->n_sample);
}

static enum nfsar_status iterate(const struct linear_operator *op, size_t steps, float complex *v,
                                 float complex *s, double *largest, const nfsar_progress *progress,
                                 nfsar_error *error) {
    enum nfsar_status status = NFSAR_OK;
    for (size_t i = 0; status == NFSAR_OK && i < steps; i++) {
        if (!nfsar_progress_report(progress, (double)i / (double)steps)) {
            return nfsar_fail(error, NFSAR_ERROR_CANCELLED, "cancelled");
        }
        double length = sqrt(vectors_power(v, op->n_image));
        float scale = length > 0.0 ? (float)(1.0 / length) : 0.0f;
        for (size_t r = 0; r < op->n_image; r++) {
            v[r] *= scale;
        }
        status = op->forward(op->context, v, s, error);
        if (status == NFSAR_OK) {
            /* Rayleigh's quotient: closer than the length of A^H A v. */
            *largest = vectors_power(s, op->n_sample);
            status = i + 1 < steps ? op->adjoint(op->context, s, v, error) : NFSAR_OK;
        }
    }
    return status;
}

enum nfsar_status operator_norm(const struct linear_operator *op, size_t steps, double *largest,
                                const nfsar_progress *progress, nfsar_error *error) {
    float complex *v = buffer_alloc(op->n_image, sizeof *v);
    float complex *s = buffer_alloc(op->n_sample, sizeof *s);
    enum nfsar_status status = v != NULL && s != NULL ? NFSAR_OK : no_memory(op, error);
    *largest = 0.0;
    if (status == NFSAR_OK) {
        nfsar_random random;
        nfsar_random_seed(&random, 1);
        draw(&random, v, op->n_image);
        status = iterate(op, steps, v, s, largest, progress, error);
    }
    free(v);
    free(s);
    return status;
}

enum nfsar_status operator_mismatch(const struct linear_operator *op, unsigned seed,
                                    double *mismatch, nfsar_error *error) {
    float complex *x = buffer_alloc(op->n_image, sizeof *x);
    float complex *back = buffer_alloc(op->n_image, sizeof *back);
    float complex *y = buffer_alloc(op->n_sample, sizeof *y);
    float complex *out = buffer_alloc(op->n_sample, sizeof *out);
    bool good = x != NULL && back != NULL && y != NULL && out != NULL;
    enum nfsar_status status = good ? NFSAR_OK : no_memory(op, error);
    if (status == NFSAR_OK) {
        nfsar_random random;
        nfsar_random_seed(&random, seed);
        draw(&random, x, op->n_image);
        draw(&random, y, op->n_sample);
        status = op->forward(op->context, x, out, error);
    }
    if (status == NFSAR_OK) {
        status = op->adjoint(op->context, y, back, error);
    }
    if (status == NFSAR_OK) {
        double complex one = vectors_dot(y, out, op->n_sample);
        double complex other = vectors_dot(back, x, op->n_image);
        *mismatch = cabs(one - other) /
                    sqrt(vectors_power(out, op->n_sample) * vectors_power(y, op->n_sample));
    }
    free(x);
    free(back);
    free(y);
    free(out);
    return status;
}
