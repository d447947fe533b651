#include <nfsar/rotation.h>

#include <math.h>

nfsar_rotation_options nfsar_rotation_defaults(void) {
    return (nfsar_rotation_options){.search_m = 0.01, .point_off_m = 0.015};
}

void nfsar_rotation_apply(const nfsar_rotation *rotation, nfsar_capture *capture) {
    /* About y by an angle b takes x to (cos b, 0, -sin b): the other way round than angles count.
     */
    const nfsar_quaternion turn =
        nfsar_quaternion_from_axis_angle((nfsar_vec3){0.0, 1.0, 0.0}, -rotation->turn_rad);
    for (size_t i = 0; i < capture->n_pose; i++) {
        nfsar_pose *pose = &capture->pose[i];
        double x = pose->position.x - rotation->axis_x, z = pose->position.z - rotation->axis_z;
        double length = hypot(x, z);
        double factor = length > 0.0 ? 1.0 + rotation->change_m / length : 1.0;
        nfsar_vec3 p = {factor * x, pose->position.y + rotation->rise_m, factor * z};
        if (rotation->turn_rad != 0.0) {
            p = nfsar_quaternion_rotate(turn, p);
            pose->orientation = nfsar_quaternion_multiply(turn, pose->orientation);
        }
        pose->position = (nfsar_vec3){p.x + rotation->axis_x, p.y, p.z + rotation->axis_z};
    }
}
