/* nfsar simulate: a scene file to a capture. */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <nfsar/scene.h>

#include "host/cli/cli.h"
#include "host/cli/image_verbs.h"
#include "host/cli/verbs.h"
#include "host/files/pending.h"
#include "host/scene/scene.h"

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int print_json(const nfsar_scene *scene, const char *output, double elapsed) {
    const nfsar_capture *capture = nfsar_scene_header(scene);
    size_t scatterers = 0;
    (void)nfsar_scene_scatterers(scene, &scatterers);
    return print_object(json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "output", json_text(output),
                                  "pulses", (json_int_t)capture->n_pulse, "channels",
                                  (json_int_t)capture->array.n_channel, "samples",
                                  (json_int_t)capture->n_sample, "scatterers",
                                  (json_int_t)scatterers, "seconds", json_number(elapsed)));
}

static int run(nfsar_scene *scene, const char *output, bool json) {
    nfsar_error error;
    double start = seconds();
    enum nfsar_status status =
        nfsar_scene_run(scene, output, cli_threads(), cli_progress("simulate"), &error);
    cli_progress_end();
    if (status != NFSAR_OK) {
        return cli_fail(&error);
    }
    const nfsar_capture *capture = nfsar_scene_header(scene);
    size_t scatterers = 0;
    (void)nfsar_scene_scatterers(scene, &scatterers);
    cli_say("%s: %zu pulse%s x %zu channel%s x %zu sample%s of %zu scatterer%s, %.1f s", output,
            capture->n_pulse, cli_s(capture->n_pulse), capture->array.n_channel,
            cli_s(capture->array.n_channel), capture->n_sample, cli_s(capture->n_sample),
            scatterers, cli_s(scatterers), seconds() - start);
    return json ? print_json(scene, output, seconds() - start) : CLI_DONE;
}

int verb_simulate(int argc, char **argv) {
    const char *scene_path = NULL, *output = NULL;
    size_t seed = 0;
    bool has_seed = false, explain = false, json = false;
    const struct cli_option options[] = {
        {"output", 'o', CLI_STRING, &output, NULL, "FILE", "the capture to write"},
        {"seed", 0, CLI_COUNT, &seed, &has_seed, "N",
         "of everything random; the scene's by default"},
        {"explain", 0, CLI_FLAG, &explain, NULL, NULL,
         "print what was understood of the scene; without -o, only that"},
        {"json", 0, CLI_FLAG, &json, NULL, NULL, "print what was made as one JSON object"},
        {0},
    };
    int exit_status = CLI_DONE;
    if (!cli_parse("simulate", "SCENE.yaml -o CAPTURE.h5", options, 1, &scene_path, argc, argv,
                   &exit_status)) {
        return exit_status;
    }
    if (output == NULL && !explain) {
        return cli_usage("simulate", "-o says where the capture goes");
    }
    if (output == NULL && json) {
        return cli_usage("simulate", "--json tells of the capture made: give -o as well");
    }
    nfsar_error error;
    nfsar_scene *scene = NULL;
    uint64_t number = seed;
    pending_protect(scene_path);
    if ((output != NULL && pending_check(output, PENDING_HDF5, &error) != NFSAR_OK) ||
        nfsar_scene_open(scene_path, has_seed ? &number : NULL, &scene, &error) != NFSAR_OK) {
        return cli_fail(&error);
    }
    if (explain) {
        nfsar_scene_explain(scene, json ? stderr : stdout);
    }
    exit_status = output != NULL ? run(scene, output, json) : CLI_DONE;
    if (exit_status == CLI_DONE && !explain && !cli_quiet()) {
        scene_warn(scene, stderr);
    }
    nfsar_scene_close(scene);
    return exit_status;
}
