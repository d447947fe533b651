# Two reflectors straight ahead of a radar at rest, at 0.4 and 1.0 m, dechirped as a real radar does it: with 300 ps of
# cable, a slope that is 0.1 % steeper than the file says, an ADC that starts 0.3 us later, and the residual video phase.
#
#   python3 two-ranges.py        writes two.h5
#   nfsar calibrate two.h5 -o right.h5 --range 0.4,1.0 --range-error 1e-5

import h5py
import numpy as np

c = 299792458.0
start, rate, samples, pulses = 77e9, 2.2e6, 128, 4
slope, adc_start = 70e12, 6e-6  # what the file says
t = adc_start + 0.3e-6 + np.arange(samples) / rate  # what is so
K = 1.001 * slope
echo = np.zeros(samples, complex)
for R in (0.4, 1.0):
    tau = 2 * R / c + 300e-12
    echo += np.exp(2j * np.pi * (start * tau + K * t * tau - K * tau**2 / 2))
random = np.random.default_rng(1)
shape = (pulses, 1, samples)
noise = 0.003 * (random.normal(size=shape) + 1j * random.normal(size=shape))

with h5py.File("two.h5", "w", libver="latest") as h:
    h.attrs["format"] = np.bytes_("nfsar-capture")
    h.attrs["format_version"] = 1
    h["radar/frequency_hz"] = start + slope * (adc_start + np.arange(samples) / rate)
    h["radar"].attrs.update(
        start_frequency_hz=start, slope_hz_per_s=slope, sample_rate_hz=rate, adc_start_s=adc_start
    )
    h["array/tx_m"] = np.zeros((1, 3))
    h["array/rx_m"] = np.zeros((1, 3))
    h["array/channel"] = np.array([[0, 0]])
    h["echo/data"] = (echo + noise).astype(np.complex64)
    h["echo/time_s"] = 0.01 * np.arange(pulses)
    h["pose/position_m"] = np.zeros((pulses, 3))
