/* Files of poses as trackers write them, and each way they may be wrong. */
#include <nfsar/pose_file.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nfsar/simulation.h>

#include "tests/support.h"

static const char wxyz[] = "time_s,x,y,z,qw,qx,qy,qz\r\n"
                           "# of the camera\n"
                           "\n"
                           "1.5,0.1,-0.2,3e-3,1,0,0,0\n"
                           "  1.6 0.2\t-0.2 0.003 0.7071068 0 0.7071068 0 \r\n"
                           "1.7, 0.3, -0.2, 0.003, 1, 0, 0, 0";

static const char tum[] = "# timestamp tx ty tz qx qy qz qw\n"
                          "1.5 1 2 3 0 0 0 1\n"
                          "1.6 1.1 2 3 0 0.7071068 0 0.7071068\n";

static const char optitrack[] =
    "Format Version,1.23,Take Name,t,Rotation Type,Quaternion,Length Units,Millimeters,"
    "Coordinate Space,Global\r\n"
    "\r\n"
    ",Type,Rigid Body,Rigid Body,Rigid Body,Rigid Body,Rigid Body,Rigid Body,Rigid Body,Marker,"
    "Marker,Marker\r\n"
    ",Name,radar,radar,radar,radar,radar,radar,radar,radar:1,radar:1,radar:1\r\n"
    ",ID,\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"2\",\"2\",\"2\"\r\n"
    ",,Rotation,Rotation,Rotation,Rotation,Position,Position,Position,Position,Position,"
    "Position\r\n"
    "Frame,Time (Seconds),X,Y,Z,W,X,Y,Z,X,Y,Z\r\n"
    "0,0.000,0,0.7071068,0,-0.7071068,1000,2000,3000,9,9,9\r\n"
    "1,0.010,,,,,,,,9,9,9\r\n"
    "2,0.020,0,0,0,1,1010,2000,3000,,,\r\n";

static const char vicon[] = "Segments\n"
                            "100\n"
                            ",,rig:radar,,,,,\n"
                            "Frame,Sub Frame,RX,RY,RZ,TX,TY,TZ\n"
                            ",,deg,deg,deg,mm,mm,mm\n"
                            "1,0,0,0,90,1000,2000,3000\n"
                            "2,0,,,,,,\n"
                            "3,0,0,0,0,1010,2000,3000\n"
                            "\n"
                            "Trajectories\n";

static const char mavlink[] = "time_usec,x,y,z,q[0],q[1],q[2],q[3]\n"
                              "1500000,1,2,3,1,0,0,0\n"
                              "1600000,1.5,2,3,0.7071068,0,0,0.7071068\n"
                              "1700000,nan,2,3,1,0,0,0\n";

static enum nfsar_status load_as(const char *text, size_t n, nfsar_pose_file_options options,
                                 nfsar_pose_track *track, nfsar_pose_file_found *found,
                                 nfsar_error *error) {
    test_write_file("poses.csv", text, n);
    return nfsar_pose_file_load(test_path("poses.csv"), &options, track, found, error);
}

static void read_ok(const char *text, nfsar_pose_track *track, nfsar_pose_file_found *found) {
    nfsar_error error;
    assert_ok(load_as(text, strlen(text), (nfsar_pose_file_options){0}, track, found, &error),
              error);
}

static void assert_place(nfsar_vec3 p, double x, double y, double z) {
    assert_near(p.x, x, 1e-12);
    assert_near(p.y, y, 1e-12);
    assert_near(p.z, z, 1e-12);
}

static void assert_turns(nfsar_quaternion q, nfsar_vec3 from, nfsar_vec3 to) {
    const nfsar_vec3 got = nfsar_quaternion_rotate(q, from);
    assert_near(nfsar_vec3_distance(got, to), 0.0, 1e-6);
}

static void text_formats(void **state) {
    (void)state;
    nfsar_pose_track track;
    nfsar_pose_file_found found;
    read_ok(wxyz, &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_WXYZ);
    assert_int_equal(track.n, 3);
    assert_near(track.time_s[1], 1.6, 0);
    assert_place(track.pose[2].position, 0.3, -0.2, 3e-3);
    assert_near(track.pose[1].orientation.w, track.pose[1].orientation.y, 1e-12);
    nfsar_pose_track_free(&track);

    read_ok(tum, &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_TUM);
    assert_near(track.pose[0].orientation.w, 1.0, 1e-12);
    /* A quarter turn about y takes z to x. */
    assert_turns(track.pose[1].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){1, 0, 0});
    nfsar_pose_track_free(&track);

    /* Without a heading, blanks are TUM's; commas are not guessed. */
    read_ok("1 2 3 4 0 0 0 1\n", &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_TUM);
    assert_near(track.pose[0].orientation.w, 1.0, 0);
    nfsar_pose_track_free(&track);
    nfsar_error error;
    assert_int_equal(
        load_as("1,2,3,4,0,0,0,1\n", 16, (nfsar_pose_file_options){0}, &track, &found, &error),
        NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "--format tum");

    /* Forward, left, up of a robot: (1, 2, 3) is (2, 3, 1) here; its yaw to the left takes what
     * was ahead (z) to the left (x). */
    assert_ok(load_as("1 1 2 3 0 0 0.7071068 0.7071068\n", 32,
                      (nfsar_pose_file_options){.z_up = true}, &track, &found, &error),
              error);
    assert_place(track.pose[0].position, 2, 3, 1);
    assert_turns(track.pose[0].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){1, 0, 0});
    nfsar_pose_track_free(&track);
}

static void trackers(void **state) {
    (void)state;
    nfsar_pose_track track;
    nfsar_pose_file_found found;
    read_ok(optitrack, &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_OPTITRACK);
    assert_string_equal(found.body, "radar");
    assert_int_equal(track.n, 2);
    assert_int_equal(track.n_lost, 1);
    assert_place(track.pose[0].position, 1, 2, 3);
    assert_near(track.time_s[1], 0.02, 0);
    assert_turns(track.pose[0].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){-1, 0, 0});
    nfsar_pose_track_free(&track);

    read_ok(vicon, &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_VICON);
    assert_string_equal(found.body, "rig:radar");
    assert_int_equal(track.n, 2);
    assert_int_equal(track.n_lost, 1);
    assert_near(track.time_s[1], 0.02, 1e-15);
    /* (x, y, z), z up, is (y, z, x) here. */
    assert_place(track.pose[0].position, 2, 3, 1);
    assert_turns(track.pose[0].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){1, 0, 0});
    nfsar_pose_track_free(&track);

    read_ok("Trajectories\n50\n,,a,,\nFrame,Sub Frame,X,Y,Z\n,,mm,mm,mm\n1,0,1,2,3\n2,0,2,2,3\n",
            &track, &found);
    assert_false(track.has_orientation);
    assert_place(track.pose[1].position, 2e-3, 3e-3, 2e-3);
    nfsar_pose_track_free(&track);
}

static void autopilots(void **state) {
    (void)state;
    nfsar_pose_track track;
    nfsar_pose_file_found found;
    read_ok(mavlink, &track, &found);
    assert_int_equal(found.format, NFSAR_POSE_MAVLINK);
    assert_int_equal(track.n, 2);
    assert_int_equal(track.n_lost, 1);
    assert_near(track.time_s[0], 1.5, 1e-12);
    /* North 1, east 2, down 3: left is -2, up -3, ahead 1. */
    assert_place(track.pose[0].position, -2, -3, 1);
    /* Yaw by a quarter to the east, which is right: what was ahead is at -x. */
    assert_turns(track.pose[1].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){-1, 0, 0});
    nfsar_pose_track_free(&track);

    /* Degrees in dataflash logs; pitch up by a quarter: what was ahead is up. */
    read_ok("TimeUS,Roll,Pitch,Yaw,PN,PE,PD\n1000000,0,90,0,1,0,0\n", &track, &found);
    assert_turns(track.pose[0].orientation, (nfsar_vec3){0, 0, 1}, (nfsar_vec3){0, 1, 0});
    nfsar_pose_track_free(&track);

    /* The same in radians, with messages' names; roll to the right: up goes right, to -x. */
    read_ok("timestamp,ATTITUDE.roll,ATTITUDE.pitch,ATTITUDE.yaw,P.x,P.y,P.z\n"
            "12.5,1.5707963,0,0,0,0,0\n",
            &track, &found);
    assert_near(track.time_s[0], 12.5, 0);
    assert_turns(track.pose[0].orientation, (nfsar_vec3){0, 1, 0}, (nfsar_vec3){-1, 0, 0});
    nfsar_pose_track_free(&track);
}

/* The texts above with one thing changed. */
static void swap(const char *text, const char *from, const char *to, char *out, size_t size) {
    const char *at = strstr(text, from);
    assert_non_null(at);
    snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

static void wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *from, *to, *says;
    } cases[] = {
        {"", "", "", "poses.csv: is empty"},
        {"\n# nothing\n", "", "", "no table of poses"},
        {wxyz, "1.5,0.1", "1.5;0.1", "line 4: expected eight numbers with blanks or commas, not"},
        {"timestamp;x;y;z;qx;qy;qz;qw\n1;0;0;0;0;0;0;1\n", "", "",
         "line 2: expected eight numbers with blanks or commas, not"},
        {"1;0;0;0;0;0;0;1\n", "", "", "semicolons between its columns"},
        {"timestamp,x,y,z,roll,pitch,yaw\n1000000,1,2,3,0,45,170\n", "", "",
         "line 2: column 6: an angle of 45 is more than a turn"},
        {"time_s,x,y,z,qw,qx,qy,qz\n", "", "", "holds no pose"},
        {wxyz, "1.5,0.1,-0.2,3e-3,1,0,0,0", "1.5,0.1", "line 4: expected eight numbers"},
        {wxyz, "3e-3,1,0,0,0", "3e-3,1,0,0,0,9", "line 4: expected eight"},
        {wxyz, "1.5,0.1,-0.2", "1.5,0.1,inf", "line 4: expected eight"},
        {wxyz, "1.5,0.1,-0.2", "-inf,0.1,-0.2", "line 4: expected eight"},
        {wxyz, "3e-3,1,0,0,0", "3e-3,0,0,0,0", "line 4: the quaternion's length is 0"},
        {wxyz, "3e-3,1,0,0,0", "3e-3,0.5,0.5,0,0", "quaternion's length"},
        {wxyz, "1.7, 0.3", "1.4, 0.3", "line 6: time 1.4 is before 1.6 of line 5"},
        {wxyz, "1.5,0.1", "1e99,0.1", "line 4: time 1e+99 s"},
        {tum, "3 0 0 0 1", "3 0 0 0 2", "line 2: the quaternion's length is 2"},
        {optitrack, "Quaternion", "XYZ", "line 1: Rotation Type is 'XYZ'"},
        {optitrack, "Millimeters", "Feet", "line 1: no Length Units"},
        {optitrack, "Global", "Local", "Coordinate Space is 'Local'"},
        {optitrack, "Time (Seconds),X,Y,Z,W", "Time (Seconds),X,Y,Z,V", "no column Rotation W"},
        {optitrack, "0,0.000,0,0.7071068", "0,0.000,zero,0.7071068", "line 8: column 3: 'zero'"},
        {optitrack, "2,0.020", "2,-0.020", "line 10: time -0.02 is before 0 of line 8"},
        {optitrack, ",-0.7071068,1000", ",-0.9,1000", "line 8: the quaternion's length"},
        {optitrack, "0,0.000,0", "0,inf,0", "line 8: column 2: 'inf'"},
        {vicon, "100\n", "-5\n", "line 2: expected the rate"},
        {vicon, ",mm,", ",inch,", "line 5: expected units"},
        {vicon, "RX,RY,RZ", "RX,RY,R", "line 4: the columns of the body"},
        {vicon, "3,0,0,0,0,1010", "3,1,0,0,0,1010", "line 8: is sub frame 1"},
        {vicon, "3,0,0,0,0,1010", "0,0,0,0,0,1010", "line 8: time -0.01 is before 0 of"},
        {vicon, "Segments\n100\n,,rig:radar", "Segments\n100\n,,", "expected names of bodies"},
        {mavlink, "1600000", "1400000", "line 3: time 1.4 is before 1.5 of line 2"},
        {mavlink, "1500000,1", "1500000,one", "line 2: column 2: 'one'"},
        {mavlink, ",x,y,z", ",a,b,c", "line 1: expected columns for time"},
        {mavlink, "x,y,z,", "x,y,z,x,", "line 1: columns 2 and 5 are both called x: take one out"},
        {mavlink, "3,1,0,0,0", "3,2,0,0,0", "line 2: the quaternion's length is 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4000];
        nfsar_pose_track track;
        nfsar_error error = {0};
        swap(cases[i].text, cases[i].from, cases[i].to, text, sizeof text);
        if (load_as(text, strlen(text), (nfsar_pose_file_options){0}, &track, NULL, &error) ==
            NFSAR_OK) {
            fail_msg("case %zu is read: %s", i, cases[i].says);
        }
        assert_contains(error.message, cases[i].says);
        assert_contains(error.message, "poses.csv");
        assert_null(track.time_s);
    }
    nfsar_pose_track track;
    nfsar_error error;
    const nfsar_pose_file_options options = {0};
    assert_int_equal(nfsar_pose_file_load(test_path("none.csv"), &options, &track, NULL, &error),
                     NFSAR_ERROR_FILE);
}

/* Rows without a pose, and those sent twice, are left out and counted, of every format. */
static void left_out(void **state) {
    (void)state;
    static const struct {
        const char *text, *from, *to;
    } cases[] = {
        {wxyz, "1.7, 0.3", "1.6, 0.3"},
        {wxyz, "1.5,0.1,-0.2", "1.5,nan,-0.2"},
        {wxyz, "1.5,0.1,-0.2", "nan,0.1,-0.2"},
        {tum, "1.6 1.1", "1.5 1.1"},
        {tum, "3 0 0.7", "NaN NaN 0.7"},
        {"1 0 0 0 0 0 0 1\n2 0 0 nan nan nan nan nan\n", "", ""},
        {"\xef\xbb\xbf"
         "1 0 0 0 0 0 0 1\nnan 0 0 0 0 0 0 1\n",
         "", ""},
        {mavlink, "1600000", "1500000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[4000];
        nfsar_pose_track track;
        const size_t rows = cases[i].text == wxyz ? 3 : cases[i].text == mavlink ? 3 : 2;
        const size_t before = cases[i].text == mavlink ? 1 : 0;
        swap(cases[i].text, cases[i].from, cases[i].to, text, sizeof text);
        read_ok(text, &track, NULL);
        assert_int_equal(track.n_lost, 1 + before);
        assert_int_equal(track.n, rows - 1 - before);
        nfsar_pose_track_free(&track);
    }
}

static void bodies(void **state) {
    (void)state;
    char text[4000];
    nfsar_pose_track track;
    nfsar_pose_file_found found;
    nfsar_error error;
    /* The markers become a second body, without rotations of its own. */
    swap(optitrack, "Marker,Marker,Marker", "Rigid Body,Rigid Body,Rigid Body", text, sizeof text);
    assert_int_equal(
        load_as(text, strlen(text), (nfsar_pose_file_options){0}, &track, &found, &error),
        NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "say which body: radar, radar:1");
    assert_ok(load_as(text, strlen(text), (nfsar_pose_file_options){.body = "radar"}, &track,
                      &found, &error),
              error);
    nfsar_pose_track_free(&track);
    assert_int_equal(load_as(text, strlen(text), (nfsar_pose_file_options){.body = "drone"}, &track,
                             &found, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_contains(error.message, "there is no body drone");
    assert_int_equal(load_as(vicon, strlen(vicon), (nfsar_pose_file_options){.body = "drone"},
                             &track, &found, &error),
                     NFSAR_ERROR_ARGUMENT);
    assert_ok(load_as(vicon, strlen(vicon), (nfsar_pose_file_options){.body = "radar"}, &track,
                      &found, &error),
              error);
    nfsar_pose_track_free(&track);
}

/* Cut anywhere, or with any byte changed: an answer, finite poses of unit length, never a crash. */
static void damaged(void **state) {
    (void)state;
    static const char *const texts[] = {wxyz, tum, optitrack, vicon, mavlink};
    nfsar_random random;
    nfsar_random_seed(&random, 11);
    size_t read = 0, tried = 0;
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        const size_t size = strlen(texts[t]);
        for (size_t i = 0; i < size + 300; i += i < size ? 2 : 1) {
            char text[4000];
            memcpy(text, texts[t], size);
            const size_t n = i < size ? i : size;
            if (i >= size) {
                text[nfsar_random_bits(&random) % n] = (char)nfsar_random_bits(&random);
            }
            nfsar_pose_track track;
            nfsar_error error = {0};
            tried++;
            if (load_as(text, n, (nfsar_pose_file_options){0}, &track, NULL, &error) != NFSAR_OK) {
                assert_contains(error.message, "poses.csv");
                continue;
            }
            read++;
            assert_true(track.n >= 1);
            for (size_t k = 0; k < track.n; k++) {
                const nfsar_quaternion q = track.pose[k].orientation;
                assert_near(q.w * q.w + q.x * q.x + q.y * q.y + q.z * q.z, 1.0, 1e-12);
                assert_true(isfinite(nfsar_vec3_norm(track.pose[k].position)));
                assert_true(isfinite(track.time_s[k]));
                assert_true(k == 0 || track.time_s[k] > track.time_s[k - 1]);
            }
            nfsar_pose_track_free(&track);
        }
    }
    assert_true(read > 200 && read < tried - 200);
}

static void huge_and_binary(void **state) {
    (void)state;
    nfsar_pose_track track;
    nfsar_error error;
    const size_t n = (size_t)3 << 20;
    char *text = malloc(n);
    memset(text, '7', n);
    assert_int_equal(load_as(text, n, (nfsar_pose_file_options){0}, &track, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "line 1: has more than 1048576 characters");
    memset(text, ',', n);
    memcpy(text, "time_usec,x,y,z\n", 16);
    text[900000] = '\n';
    assert_int_equal(load_as(text, 900001, (nfsar_pose_file_options){0}, &track, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "line 2: has more than 20000 columns");
    free(text);
    assert_int_equal(load_as("1 2 3\0 4", 8, (nfsar_pose_file_options){0}, &track, NULL, &error),
                     NFSAR_ERROR_FORMAT);
    assert_contains(error.message, "line 1: holds a zero byte");
    /* A line longer than any line of eight numbers is refused, not cut in two. */
    char line[3000];
    memset(line, ' ', sizeof line);
    memcpy(line, "1 2 3 4 0 0 0 1", 15);
    line[sizeof line - 1] = '\n';
    assert_int_equal(load_as(line, sizeof line, (nfsar_pose_file_options){0}, &track, NULL, &error),
                     NFSAR_ERROR_FORMAT);
}

/* Between poses: exact for a parabola, straight beside gaps, told outside. */
static void interpolation(void **state) {
    (void)state;
    double time_s[9];
    nfsar_pose pose[9];
    for (int i = 0; i < 9; i++) {
        /* Uneven steps, and a gap from 0.6 to 2. */
        time_s[i] = 0.1 * i + 0.01 * (i % 2) + (i > 6 ? 1.3 : 0.0);
        const double t = time_s[i];
        pose[i] = (nfsar_pose){{3.0 * t * t - t, t, 1.0}, NFSAR_QUATERNION_IDENTITY};
    }
    const nfsar_pose_track track = {.n = 9, .time_s = time_s, .pose = pose};
    const double gap = nfsar_pose_track_gap(&track);
    nfsar_pose at;
    assert_near(gap, 4 * 0.11, 1e-12); /* of 0.09, 0.11 and 1.41 */
    for (double t = 0.12; t < 0.5; t += 0.013) {
        assert_true(nfsar_pose_track_at(&track, gap, t, &at));
        assert_near(at.position.x, 3.0 * t * t - t, 1e-12);
        assert_near(at.position.y, t, 1e-12);
    }
    assert_false(nfsar_pose_track_at(&track, gap, 1.0, &at));
    assert_true(nfsar_pose_track_at(&track, gap, time_s[7], &at));
    assert_false(nfsar_pose_track_at(&track, gap, -0.001, &at));
    assert_near(at.position.y, time_s[0], 0);
    assert_false(nfsar_pose_track_at(&track, gap, 99.0, &at));
    assert_near(at.position.y, time_s[8], 0);
}

/* The export that comes with bwsi_uwb_rail. */
static void real_export(void **state) {
    (void)state;
    const char *folder = test_data_folder();
    char path[600];
    if (folder == NULL) {
        print_message("no real recordings (NFSAR_DATA or ../shared/data): skipped\n");
        skip();
    }
    snprintf(path, sizeof path, "%s/bwsi_uwb_rail/group6_trial_008.csv", folder);
    const nfsar_pose_file_options options = {0};
    nfsar_pose_track track;
    nfsar_pose_file_found found;
    nfsar_error error;
    assert_ok(nfsar_pose_file_load(path, &options, &track, &found, &error), error);
    assert_int_equal(found.format, NFSAR_POSE_OPTITRACK);
    assert_string_equal(found.body, "radar_group6");
    /* 7464 frames at 360 Hz; the README's platform goes from 0.67 to -2.73 m. */
    assert_int_equal(track.n + track.n_lost, 7464);
    assert_true(track.n_lost < 10);
    assert_near(track.time_s[track.n - 1], 7463.0 / 360.0, 1e-3);
    assert_near(track.pose[0].position.z, 0.667, 1e-3);
    assert_near(track.pose[track.n - 1].position.z, -2.73, 5e-3);
    assert_near(track.pose[0].position.y, 1.79, 5e-3);
    nfsar_pose_track_free(&track);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_formats),  cmocka_unit_test(trackers),
        cmocka_unit_test(autopilots),    cmocka_unit_test(wrong),
        cmocka_unit_test(left_out),      cmocka_unit_test(bodies),
        cmocka_unit_test(damaged),       cmocka_unit_test(huge_and_binary),
        cmocka_unit_test(interpolation), cmocka_unit_test(real_export)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
