/* Where everything is in capture.h5 (docs/files.md). */
#ifndef NFSAR_HOST_FILES_CAPTURE_LAYOUT_H
#define NFSAR_HOST_FILES_CAPTURE_LAYOUT_H

#define CAPTURE_RADAR           "/radar"
#define CAPTURE_FREQUENCY       "/radar/frequency_hz"
#define CAPTURE_START_FREQUENCY "start_frequency_hz"
#define CAPTURE_SLOPE           "slope_hz_per_s"
#define CAPTURE_SAMPLE_RATE     "sample_rate_hz"
#define CAPTURE_ADC_START       "adc_start_s"
#define CAPTURE_MODEL           "model"
#define CAPTURE_ARRAY           "/array"
#define CAPTURE_TX              "/array/tx_m"
#define CAPTURE_RX              "/array/rx_m"
#define CAPTURE_CHANNEL         "/array/channel"
#define CAPTURE_CHANNEL_TIME    "/array/channel_time_s"
#define CAPTURE_ECHO            "/echo"
#define CAPTURE_DATA            "/echo/data"
#define CAPTURE_TIME            "/echo/time_s"
#define CAPTURE_FLAGS           "/echo/flags"
#define CAPTURE_POSE            "/pose"
#define CAPTURE_POSE_TIME       "/pose/time_s"
#define CAPTURE_TRUTH           "/truth"
#define CAPTURE_POSITION        "position_m"
#define CAPTURE_ORIENTATION     "orientation"
#define CAPTURE_CALIBRATION     "/calibration"
#define CAPTURE_GAIN            "/calibration/channel_gain"
#define CAPTURE_DELAY           "/calibration/channel_delay_s"
#define CAPTURE_BACKGROUND      "/calibration/background"
#define CAPTURE_PROVENANCE      "/provenance"
#define CAPTURE_SESSION         "/session"

#endif
