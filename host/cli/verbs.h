/* Every verb's entry: the arguments after its name, answered with the exit status. */
#ifndef NFSAR_HOST_CLI_VERBS_H
#define NFSAR_HOST_CLI_VERBS_H

int verb_bench(int argc, char **argv);
int verb_calibrate(int argc, char **argv);
int verb_compare(int argc, char **argv);
int verb_enhance(int argc, char **argv);
int verb_export(int argc, char **argv);
int verb_gate(int argc, char **argv);
int verb_track(int argc, char **argv);
int verb_hub(int argc, char **argv);
int verb_doctor(int argc, char **argv);
int verb_import(int argc, char **argv);
int verb_info(int argc, char **argv);
int verb_measure(int argc, char **argv);
int verb_record(int argc, char **argv);
int verb_reconstruct(int argc, char **argv);
int verb_render(int argc, char **argv);
int verb_repair(int argc, char **argv);
int verb_seal(int argc, char **argv);
int verb_simulate(int argc, char **argv);
int verb_track(int argc, char **argv);

#endif
