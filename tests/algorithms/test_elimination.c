/* Small systems are solved, whatever the order of their rows and however far these lie apart. */
#include "tests/support.h"

#include <math.h>

#include "algorithms/elimination.h"

enum { N = 5, COLUMNS = 2, PITCH = 7 };

static void systems_are_solved(void **state) {
    (void)state;
    double a[N][PITCH], kept[N][PITCH], b[N][PITCH], x[N][COLUMNS];
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            /* Nothing on the diagonal: rows have to change places. */
            a[i][j] = kept[i][j] = i == j ? 0.0 : cos(1.7 * i + 0.3 * j * j + 1.0);
        }
        for (int c = 0; c < COLUMNS; c++) {
            x[i][c] = 1.0 + i - 3.0 * c * i;
        }
    }
    for (int i = 0; i < N; i++) {
        for (int c = 0; c < PITCH; c++) {
            b[i][c] = c < COLUMNS ? 0.0 : 42.0;
        }
        for (int j = 0; j < N; j++) {
            for (int c = 0; c < COLUMNS; c++) {
                b[i][c] += kept[i][j] * x[j][c];
            }
        }
    }
    eliminate(N, COLUMNS, PITCH, &a[0][0], &b[0][0]);
    for (int i = 0; i < N; i++) {
        for (int c = 0; c < COLUMNS; c++) {
            assert_near(b[i][c], x[i][c], 1e-12);
        }
        assert_near(b[i][COLUMNS], 42.0, 0.0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(systems_are_solved)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
