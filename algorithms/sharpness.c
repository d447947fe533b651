#include <nfsar/metrics.h>

/* Square of the magnitude's difference between two voxels. */
static double slope(float complex a, float complex b) {
    double difference = (double)cabsf(a) - (double)cabsf(b);
    return difference * difference;
}

double nfsar_slice_sharpness(const float complex *data, size_t nx, size_t ny) {
    double sum = 0.0;
    for (size_t j = 0; j < ny; j++) {
        const float complex *row = data + j * nx;
        for (size_t i = 0; i < nx; i++) {
            sum += i + 1 < nx ? slope(row[i], row[i + 1]) : 0.0;
            sum += j + 1 < ny ? slope(row[i], row[i + nx]) : 0.0;
        }
    }
    return sum;
}
