/* The options of `nfsar reconstruct`. */
#ifndef NFSAR_HOST_CLI_RECONSTRUCT_OPTIONS_H
#define NFSAR_HOST_CLI_RECONSTRUCT_OPTIONS_H

#include <nfsar/nfsar.h>

/* What the command line says. */
struct reconstruct_request {
    const char *capture, *output, *method, *precision, *compensation, *window, *aperture_window;
    const char *density, *focus_picture, *quality;
    nfsar_axis x, y, z;
    double range[2];
    bool has_x, has_y, has_z, focus, has_range, equal_views, json;
    double target_depth, tolerance, plane;
    size_t patches, sparse_iterations, sparse_memory;
    const char *sparse, *sparse_start, *sparse_operators;
    double sparse_weight, sparse_tolerance;
    bool has_sparse_weight, has_sparse_tolerance, has_sparse_iterations, has_sparse_memory;
    bool has_target_depth, has_tolerance, has_plane;
};

/* What its words mean. */
struct reconstruct_choice {
    enum nfsar_method method; /* as asked for */
    enum nfsar_density density;
    nfsar_method_options use;
    bool best;   /* make it sharper with a network */
    bool sparse; /* reconstruct by minimising, and not with a method */
    nfsar_sparse_options sparsely;
};

/* Read the command line; false when the verb shall return *exit_status at once. */
bool reconstruct_parse(int argc, char **argv, struct reconstruct_request *request,
                       int *exit_status);

/* Before anything is opened: what the words mean. */
enum nfsar_status reconstruct_choose(const struct reconstruct_request *request,
                                     struct reconstruct_choice *choice, nfsar_error *error);

#endif
