/** @file
 * Everything of libnfsar. Each concept also has a header of its own.
 */
#ifndef NFSAR_NFSAR_H
#define NFSAR_NFSAR_H

#include <nfsar/array.h>
#include <nfsar/autofocus.h>
#include <nfsar/background.h>
#include <nfsar/backprojection.h>
#include <nfsar/calibration.h>
#include <nfsar/calibration_table.h>
#include <nfsar/capture.h>
#include <nfsar/channels.h>
#include <nfsar/compensation.h>
#include <nfsar/csar.h>
#include <nfsar/cylinder.h>
#include <nfsar/density.h>
#include <nfsar/doctor.h>
#include <nfsar/enhance.h>
#include <nfsar/export.h>
#include <nfsar/file.h>
#include <nfsar/focus.h>
#include <nfsar/gate.h>
#include <nfsar/geometry.h>
#include <nfsar/hub.h>
#include <nfsar/image.h>
#include <nfsar/import.h>
#include <nfsar/instrument.h>
#include <nfsar/kernel.h>
#include <nfsar/lattice.h>
#include <nfsar/metrics.h>
#include <nfsar/nufft.h>
#include <nfsar/nurma.h>
#include <nfsar/path.h>
#include <nfsar/phase_gradient.h>
#include <nfsar/picture.h>
#include <nfsar/pose_file.h>
#include <nfsar/pose_track.h>
#include <nfsar/progress.h>
#include <nfsar/range.h>
#include <nfsar/reconstruct.h>
#include <nfsar/rma.h>
#include <nfsar/rotation.h>
#include <nfsar/scene.h>
#include <nfsar/simulation.h>
#include <nfsar/sparse.h>
#include <nfsar/status.h>
#include <nfsar/time_offset.h>
#include <nfsar/trajectory.h>
#include <nfsar/version.h>
#include <nfsar/waveform.h>
#include <nfsar/window.h>
#include <nfsar/wire.h>
#include <nfsar/wisdom.h>

#endif
