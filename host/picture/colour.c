#include <nfsar/picture.h>

#include <math.h>

/* Oklab (B. Ottosson, 2020): L, a, b to linear sRGB by its published matrices. */
static void oklab_to_linear(const double lab[3], double rgb[3]) {
    const double l = pow(lab[0] + 0.3963377774 * lab[1] + 0.2158037573 * lab[2], 3.0);
    const double m = pow(lab[0] - 0.1055613458 * lab[1] - 0.0638541728 * lab[2], 3.0);
    const double s = pow(lab[0] - 0.0894841775 * lab[1] - 1.2914855480 * lab[2], 3.0);
    rgb[0] = 4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s;
    rgb[1] = -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s;
    rgb[2] = -0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s;
}

static double encode_srgb(double linear) {
    return linear <= 0.0031308 ? 12.92 * linear : 1.055 * pow(linear, 1.0 / 2.4) - 0.055;
}

/* Lightness rises linearly, so equal steps of the value look equally large, and a grey print keeps
 * the order. The hue runs from blue-violet over magenta and orange to yellow, whose most colourful
 * tones lie at just these lightnesses. The chroma, a parabola, stays inside the sRGB gamut along
 * the whole way (tests/picture/test_colour.c); beyond it a channel would be clipped and lightness
 * lost. */
void nfsar_colour(double value, double rgb[3]) {
    double t = value > 0.0 ? fmin(value, 1.0) : 0.0;
    double hue = (280.0 + 185.0 * pow(t, 0.9)) * M_PI / 180.0;
    double chroma = 0.065 + 0.02 * t + 0.41 * t * (1.0 - t);
    double lab[3] = {0.12 + 0.85 * t, chroma * cos(hue), chroma * sin(hue)};
    oklab_to_linear(lab, rgb);
    for (int i = 0; i < 3; i++) {
        rgb[i] = encode_srgb(rgb[i]);
    }
}
