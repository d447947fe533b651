#include "host/cli/verbs.h"

#include "host/cli/cli.h"

const struct cli_verb cli_verbs[] = {
    {"simulate", "make a capture from a scene", verb_simulate},
    {"record", "record a scan of the rig into a capture", verb_record},
    {"import", "make a capture from raw, MATLAB or NumPy recordings", verb_import},
    {"reconstruct", "make an image from a capture", verb_reconstruct},
    {"calibrate", "correct a capture by what its own echoes tell", verb_calibrate},
    {"track", "find where the radar was at each pulse", verb_track},
    {"gate", "keep of a capture only a gate of ranges: fewer samples, the same image", verb_gate},
    {"info", "say what is in a capture or image file", verb_info},
    {"enhance", "make a sharper image with a network", verb_enhance},
    {"measure", "measure an image: peak, widths, side lobes, sharpness", verb_measure},
    {"compare", "compare an image with a reference", verb_compare},
    {"render", "make a picture from an image", verb_render},
    {"export", "write an image for ParaView, NumPy or MATLAB", verb_export},
    {"repair", "make a capture from a recording that was cut off", verb_repair},
    {"seal", "compress a capture, and check that it can be read", verb_seal},
    {"hub", "talk to the hub: status, radar, motion, scans", verb_hub},
    {"doctor", "check that rig and computer are ready to record", verb_doctor},
    {"bench", "measure the speed of this machine, as ratios", verb_bench},
    {0},
};
