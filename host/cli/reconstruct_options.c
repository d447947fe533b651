#include "host/cli/reconstruct_options.h"

#include <stdint.h>
#include <string.h>

#include "host/cli/cli.h"

/* What does not go together with --sparse, or without it. */
static const char *check_sparse(const struct reconstruct_request *r) {
    if (r->sparse == NULL) {
        return r->has_sparse_weight || r->has_sparse_iterations || r->has_sparse_tolerance ||
                       r->sparse_start != NULL || r->sparse_operators != NULL ||
                       r->has_sparse_memory
                   ? "--sparse-weight, --sparse-iterations, --sparse-tolerance, --sparse-start, "
                     "--sparse-operators and --sparse-memory need --sparse"
                   : NULL;
    }
    if (strcmp(r->density, "none") != 0 || strcmp(r->window, "rectangular") != 0 ||
        strcmp(r->aperture_window, "rectangular") != 0) {
        return "--sparse explains every echo alike: leave out --density, --window and "
               "--aperture-window";
    }
    if (r->compensation != NULL || r->has_target_depth || r->patches > 0 || r->has_tolerance ||
        r->has_plane || r->equal_views || strcmp(r->precision, "single") != 0) {
        return "--sparse has no use for --compensation, --target-depth, --patches, --tolerance, "
               "--plane, --equal-views and --precision: leave them out";
    }
    if (strcmp(r->quality, "best") == 0) {
        return "--quality best is for images of a method, which networks are trained with: leave "
               "it "
               "or --sparse out";
    }
    return strcmp(r->method, "auto") != 0 ? "--sparse takes the place of --method: give one of them"
                                          : NULL;
}

bool reconstruct_parse(int argc, char **argv, struct reconstruct_request *request,
                       int *exit_status) {
    struct reconstruct_request *r = request;
    *r = (struct reconstruct_request){.method = "auto",
                                      .precision = "single",
                                      .window = "rectangular",
                                      .aperture_window = "rectangular",
                                      .density = "none",
                                      .quality = "fast"};
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &r->output, NULL, "FILE", "the image to write (HDF5)"},
        {"method", 'm', CLI_STRING, &r->method, NULL, "M",
         "auto; bp: exact, any geometry; rma: planar lattice; csar: turntable; nurma: irregular "
         "positions; empm: the same for small offsets from a plane, faster"},
        {"x", 0, CLI_AXIS, &r->x, &r->has_x, "MIN:MAX:COUNT", "grid, metres; or one coordinate"},
        {"y", 0, CLI_AXIS, &r->y, &r->has_y, "MIN:MAX:COUNT", ""},
        {"z", 0, CLI_AXIS, &r->z, &r->has_z, "MIN:MAX:COUNT", ""},
        {"focus", 0, CLI_FLAG, &r->focus, NULL, NULL,
         "search the depths for the sharpest and image only that one"},
        {"focus-picture", 0, CLI_STRING, &r->focus_picture, NULL, "PNG",
         "draw sharpness against depth"},
        {"range", 0, CLI_RANGE, r->range, &r->has_range, "MIN:MAX",
         "range gate, metres: for the grid where none is given, and samples are summed to those "
         "that it needs (docs/gate.md)"},
        {"density", 0, CLI_STRING, &r->density, NULL, "D",
         "weights for uneven positions: none, voronoi (areas of cells) or iterative"},
        {"tolerance", 0, CLI_NUMBER, &r->tolerance, &r->has_tolerance, "E",
         "nurma, empm, csar: error of the transforms, 1e-5 to 0.1 of the image; 1e-3"},
        {"plane", 0, CLI_NUMBER, &r->plane, &r->has_plane, "Z",
         "nurma, empm: z that offsets are counted from; else the middle of the positions"},
        {"compensation", 0, CLI_STRING, &r->compensation, NULL, "C",
         "transmitters and receivers apart: none, closed-form (empm's), reference-point (rma's, "
         "nurma's) or, for csar only, every-range (csar's)"},
        {"target-depth", 0, CLI_NUMBER, &r->target_depth, &r->has_target_depth, "Z",
         "rma, nurma, empm, csar's reference-point: z the compensation is made for; else the "
         "grid's middle, csar's axis"},
        {"patches", 0, CLI_COUNT, &r->patches, NULL, "N",
         "rma, nurma, empm: parts of the grid along each axis, each compensated for its own "
         "middle; "
         "else as few as needed"},
        {"window", 0, CLI_STRING, &r->window, NULL, "W",
         "over frequency: rectangular, hann, hamming, blackman-harris, kaiser"},
        {"aperture-window", 0, CLI_STRING, &r->aperture_window, NULL, "W",
         "rma, nurma, empm: over the aperture, along x and y"},
        {"equal-views", 0, CLI_FLAG, &r->equal_views, NULL, NULL,
         "csar: every direction that a voxel is seen from counts the same"},
        {"quality", 0, CLI_STRING, &r->quality, NULL, "Q",
         "fast: what the method makes; best: and a network makes it sharper, without phase "
         "(docs/enhance.md)"},
        {"sparse", 0, CLI_STRING, &r->sparse, NULL, "P",
         "too few positions: the volume that explains the echoes with few scatterers (l1), few "
         "edges (tv) or both (l1+tv); instead of a method"},
        {"sparse-weight", 0, CLI_NUMBER, &r->sparse_weight, &r->has_sparse_weight, "W",
         "of that against the echoes, a part of the strongest voxel's: above 0, below 1; 0.05"},
        {"sparse-iterations", 0, CLI_COUNT, &r->sparse_iterations, &r->has_sparse_iterations, "N",
         "at most; 500"},
        {"sparse-tolerance", 0, CLI_NUMBER, &r->sparse_tolerance, &r->has_sparse_tolerance, "E",
         "end when the objective may be no more than this part of it above its least; 1e-3"},
        {"sparse-start", 0, CLI_STRING, &r->sparse_start, NULL, "IMAGE",
         "begin with an image that --sparse made on the same grid, to go on or with another "
         "weight"},
        {"sparse-operators", 0, CLI_STRING, &r->sparse_operators, NULL, "O",
         "exact (any geometry), planar (antennas in front of the grid), cylindrical (round it), or "
         "auto: the fastest that suits"},
        {"sparse-memory", 0, CLI_COUNT, &r->sparse_memory, &r->has_sparse_memory, "MIB",
         "that copies of volume and samples may take; 8192"},
        {"precision", 0, CLI_STRING, &r->precision, NULL, "P",
         "bp: single, or double (slow, the reference)"},
        {"json", 0, CLI_FLAG, &r->json, NULL, NULL, "print what was done as JSON"},
        {0},
    };
    *exit_status = CLI_USAGE;
    if (!cli_parse("reconstruct", "CAPTURE -o IMAGE [options]", options, 1, &r->capture, argc, argv,
                   exit_status)) {
        return false;
    }
    const char *wrong = NULL;
    if (r->output == NULL) {
        wrong = "-o IMAGE is missing";
    } else if (r->focus && r->has_z && r->z.count < 3) {
        wrong = "--focus searches the depths of --z: give 3 or more";
    } else if (r->focus_picture != NULL && !r->focus) {
        wrong = "--focus-picture needs --focus";
    }
    if (wrong == NULL) {
        wrong = check_sparse(r);
    }
    if (wrong != NULL) {
        *exit_status = cli_usage("reconstruct", "%s", wrong);
    }
    return wrong == NULL;
}

static enum nfsar_status parse_quality(const char *word, bool *best, nfsar_error *error) {
    *best = strcmp(word, "best") == 0;
    return *best || strcmp(word, "fast") == 0
               ? NFSAR_OK
               : nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "quality '%s': known are fast, best",
                            word);
}

static enum nfsar_status parse_precision(const char *word, enum nfsar_bp_precision *precision,
                                         nfsar_error *error) {
    if (strcmp(word, "double") == 0) {
        *precision = NFSAR_BP_DOUBLE;
    } else if (strcmp(word, "single") != 0) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT, "precision '%s': known are single, double",
                          word);
    }
    return NFSAR_OK;
}

/* The compensation of every method: as asked, or the method's own. */
static enum nfsar_status parse_compensation(const struct reconstruct_request *r,
                                            enum nfsar_method method, nfsar_method_options *use,
                                            nfsar_error *error) {
    if (r->compensation == NULL) {
        /* The multi-planar algorithm as published has the closed form. */
        use->rma.compensation = method == NFSAR_METHOD_EMPM ? NFSAR_COMPENSATION_CLOSED_FORM
                                                            : NFSAR_COMPENSATION_REFERENCE_POINT;
        return NFSAR_OK;
    }
    enum nfsar_status status =
        nfsar_compensation_parse(r->compensation, &use->rma.compensation, error);
    use->csar.compensation = use->rma.compensation;
    return status;
}

static enum nfsar_status parse_words(const struct reconstruct_request *r,
                                     struct reconstruct_choice *choice, nfsar_error *error) {
    nfsar_method_options *use = &choice->use;
    const char *option = "--method", *word = r->method;
    enum nfsar_status status = nfsar_method_parse(word, &choice->method, error);
    if (status == NFSAR_OK) {
        option = "--compensation";
        word = r->compensation != NULL ? r->compensation : "";
        status = parse_compensation(r, choice->method, use, error);
    }
    if (status == NFSAR_OK) {
        option = "--window", word = r->window;
        status = nfsar_window_parse(word, &use->rma.frequency_window, error);
    }
    if (status == NFSAR_OK) {
        option = "--aperture-window", word = r->aperture_window;
        status = nfsar_window_parse(word, &use->rma.aperture_window, error);
    }
    if (status == NFSAR_OK) {
        option = "--density", word = r->density;
        status = nfsar_density_parse(word, &choice->density, error);
    }
    if (status == NFSAR_OK) {
        option = "--precision", word = r->precision;
        status = parse_precision(word, &use->bp.precision, error);
    }
    if (status == NFSAR_OK) {
        option = "--quality", word = r->quality;
        status = parse_quality(word, &choice->best, error);
    }
    return status == NFSAR_OK ? NFSAR_OK : nfsar_fail_in(error, status, "%s %s", option, word);
}

static enum nfsar_status parse_sparse(const struct reconstruct_request *r,
                                      struct reconstruct_choice *choice, nfsar_error *error) {
    nfsar_sparse_options *use = &choice->sparsely;
    *use = nfsar_sparse_defaults();
    choice->sparse = r->sparse != NULL;
    if (!choice->sparse) {
        return NFSAR_OK;
    }
    use->weight = r->has_sparse_weight ? r->sparse_weight : use->weight;
    use->tolerance = r->has_sparse_tolerance ? r->sparse_tolerance : use->tolerance;
    use->iterations = r->has_sparse_iterations ? r->sparse_iterations : use->iterations;
    if (r->has_sparse_memory && (r->sparse_memory == 0 || r->sparse_memory > SIZE_MAX >> 20)) {
        return nfsar_fail(error, NFSAR_ERROR_ARGUMENT,
                          "--sparse-memory %zu: MiB, 1 or more, and no more than there can be",
                          r->sparse_memory);
    }
    use->memory = r->sparse_memory << 20;
    enum nfsar_status status = nfsar_sparse_parse(r->sparse, &use->penalty, error);
    if (status != NFSAR_OK) {
        return nfsar_fail_in(error, status, "--sparse %s", r->sparse);
    }
    if (r->sparse_operators == NULL) {
        return NFSAR_OK;
    }
    status = nfsar_sparse_operators_parse(r->sparse_operators, &use->operators, error);
    return status == NFSAR_OK
               ? NFSAR_OK
               : nfsar_fail_in(error, status, "--sparse-operators %s", r->sparse_operators);
}

enum nfsar_status reconstruct_choose(const struct reconstruct_request *r,
                                     struct reconstruct_choice *choice, nfsar_error *error) {
    nfsar_method_options *use = &choice->use;
    *choice = (struct reconstruct_choice){.use = nfsar_method_defaults()};
    enum nfsar_status status = parse_words(r, choice, error);
    if (status == NFSAR_OK) {
        status = parse_sparse(r, choice, error);
    }
    if (status != NFSAR_OK) {
        return status;
    }
    if (r->has_target_depth) {
        use->rma.reference.z = use->csar.reference.z = r->target_depth;
    }
    if (r->has_tolerance) {
        use->nurma.tolerance = use->csar.tolerance = r->tolerance;
    }
    if (r->has_plane) {
        use->nurma.plane = r->plane;
    }
    use->patches = r->patches;
    use->csar.equal_views = r->equal_views;
    use->bp.frequency_window = use->nurma.frequency_window = use->csar.frequency_window =
        use->rma.frequency_window;
    use->nurma.aperture_window = use->rma.aperture_window;
    use->nurma.compensation = use->rma.compensation;
    use->nurma.reference = use->rma.reference;
    return NFSAR_OK;
}
