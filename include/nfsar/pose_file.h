/** @file
 * Files of poses that trackers and autopilots write (docs/track-poses.md): TUM text, Motive
 * (OptiTrack) and Vicon CSV, MAVLink-style CSV.
 */
#ifndef NFSAR_POSE_FILE_H
#define NFSAR_POSE_FILE_H

#include <nfsar/pose_track.h>
#include <nfsar/status.h>

/** How poses are written. */
enum nfsar_pose_format {
    NFSAR_POSE_AUTO,      /**< found from the content */
    NFSAR_POSE_WXYZ,      /**< lines of time_s x y z qw qx qy qz, commas or blanks between */
    NFSAR_POSE_TUM,       /**< lines of time_s x y z qx qy qz qw */
    NFSAR_POSE_OPTITRACK, /**< CSV export of Motive: header, rigid bodies, y up */
    NFSAR_POSE_VICON,     /**< CSV export of Vicon: Objects, Segments or Trajectories, z up */
    NFSAR_POSE_MAVLINK    /**< CSV with named columns: time, NED position, attitude */
};

/** How a file of poses is read; all zero is the default. */
typedef struct nfsar_pose_file_options {
    enum nfsar_pose_format format; /**< NFSAR_POSE_AUTO: by content */
    const char *body;              /**< name of the rigid body, segment or marker; NULL: the only
                                        one there is */
    bool z_up;                     /**< WXYZ and TUM: the file's axes are forward, left, up (as of
                                        robots), and are turned to ours: (y, z, x). The other
                                        formats have axes of their own, and this is ignored */
} nfsar_pose_file_options;

/** What was found beside the poses. */
typedef struct nfsar_pose_file_found {
    enum nfsar_pose_format format; /**< never NFSAR_POSE_AUTO */
    char body[128];                /**< name of the body, or empty */
} nfsar_pose_file_found;

/** Read poses from the file at @p path into @p track, to be released with nfsar_pose_track_free().
 * Lengths become metres, times seconds, axes x, y up, z; rows without a pose, and those of
 * the same time as the row before, are dropped and counted. @p found may be NULL. NFSAR_ERROR_FILE
 * when it cannot be read; NFSAR_ERROR_FORMAT names file and line: what is no number, times that go
 * back, quaternions not of unit length (beyond 1 percent), binary or endless lines;
 * NFSAR_ERROR_ARGUMENT when the body or the format is to be chosen. */
enum nfsar_status nfsar_pose_file_load(const char *path, const nfsar_pose_file_options *options,
                                       nfsar_pose_track *track, nfsar_pose_file_found *found,
                                       nfsar_error *error);

/** "wxyz", "tum", "optitrack", "vicon", "mavlink"; "auto". Static. */
const char *nfsar_pose_format_name(enum nfsar_pose_format format);

/** The format of a name; false when there is none. */
bool nfsar_pose_format_by_name(const char *name, enum nfsar_pose_format *format);

#endif
